import CLinux
import NBD
import NetworkIO
import Synchronization

/// Sends replies of one connection whole, from its own thread and from the one that flushes.
final class ReplySender: Sendable {
    private let socket: StreamSocket
    /// Held while a reply is sent; true once sending has failed.
    private let failed = Mutex(false)

    init(_ socket: StreamSocket) { self.socket = socket }

    /// Whether a send has failed; the connection is over then.
    var hasFailed: Bool { failed.withLock { $0 } }

    /// Sends complete replies; false when the connection is broken.
    func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        failed.withLock { failed in
            guard !failed else { return false }
            do throws(SystemCallError) { unsafe try socket.send(bytes) } catch { failed = true }
            return !failed
        }
    }

    /// Runs `body`, which sends a reply in several pieces; it returns false when it could not finish.
    func sendInPieces(_ body: (StreamSocket) -> Bool) -> Bool {
        failed.withLock { failed in
            guard !failed else { return false }
            failed = !body(socket)
            return !failed
        }
    }
}

extension StreamSocket {
    /// How the sending of a part of a file ended.
    enum FileOutcome { case sent, peerLost, unreadable }

    /// Sends bytes of a file without copying them.
    func sendFile(_ file: CInt, at offset: UInt64, length: Int) -> FileOutcome {
        var position = off_t(offset)
        var left = length
        while left > 0 {
            let count = unsafe sendfile(descriptor.number, file, &position, left)
            if count > 0 {
                left -= count
                continue
            }
            if count == 0 { return .unreadable }  // The file has become shorter than it was when it was opened.
            switch clinux_errno() {
            case EINTR: continue
            case EIO, EREMOTEIO, EBADMSG, EUCLEAN, ENODATA, ESTALE: return .unreadable
            default: return .peerLost
            }
        }
        return .sent
    }
}
