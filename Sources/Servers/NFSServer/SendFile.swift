import CLinux
import FileTree
import NetworkIO

extension Conversation {
    /// Sends bytes of a file whose number is already told.
    ///
    /// When the file has become shorter meanwhile, zeros take their place: it was cut after the call came, as a read would
    /// have seen that came a moment earlier. False when the connection or the disk is broken.
    mutating func sendFile(_ file: TreeDescriptor, _ offset: UInt64, _ count: Int) -> Bool {
        var position = off_t(truncatingIfNeeded: offset)
        var left = count
        while left > 0 {
            let sent = unsafe sendfile(handle.socket.descriptor.number, file.number, &position, left)
            if sent > 0 {
                left -= sent
            } else if sent == 0 {
                return sendZeros(left)
            } else {
                switch clinux_errno() {
                case EINTR: continue
                case EAGAIN:
                    server.logOnce(handle.peer, "does not take its replies")
                    return false
                case EIO:
                    // The next try, on a new connection, tells the error.
                    server.storageFailed(TreeError(EIO))
                    return false
                default: return false
                }
            }
        }
        return true
    }

    private mutating func sendZeros(_ count: Int) -> Bool {
        let zeros = [UInt8](repeating: 0, count: min(count, 65536))
        var left = count
        while left > 0 {
            let piece = Array(zeros.prefix(left))
            do throws(SystemCallError) { try handle.socket.send(piece, moreFollows: true) } catch { return false }
            left -= piece.count
        }
        return true
    }
}
