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
    /// Sends bytes of a file without copying them; false when the file ended early or the connection is broken.
    func sendFile(_ file: CInt, at offset: UInt64, length: Int) -> Bool {
        var position = off_t(offset)
        var left = length
        while left > 0 {
            let count = unsafe sendfile(descriptor.number, file, &position, left)
            if count > 0 {
                left -= count
            } else if count == 0 || clinux_errno() != EINTR {
                return false
            }
        }
        return true
    }
}
