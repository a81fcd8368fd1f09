import CLinux
import HTTP1
import NetworkIO

/// The writing end of a streamed reply; for the closure that makes the content, on its thread.
public final class HTTPStream {
    private let socket: StreamSocket
    private let isChunked: Bool
    private let stallSeconds: Int
    private(set) var bytesSent: UInt64 = 0
    private(set) var failed = false

    init(_ socket: StreamSocket, isChunked: Bool, stallSeconds: Int) {
        self.socket = socket
        self.isChunked = isChunked
        self.stallSeconds = stallSeconds
    }

    /// Sends bytes at once.
    ///
    /// Throws `SystemCallError` when the client has left or stopped reading.
    public func send(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        try put(isChunked ? HTTPChunk.encode(bytes) : bytes)
        bytesSent += UInt64(bytes.count)
    }

    /// Sends text in UTF-8 at once.
    ///
    /// Throws as the other.
    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Whether the client is still there: to be asked now and then by a stream that has nothing to say for long.
    public var isOpen: Bool {
        guard !failed else { return false }
        var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLRDHUP), revents: 0)
        return unsafe poll(&wait, 1, 0) == 0
    }

    /// Whether the connection has broken: the client was reset, or answers nothing any more, not even to keepalive probes.
    ///
    /// A client that has only ended its own side of the connection, as many do after their request, still listens.
    public var isBroken: Bool {
        guard !failed else { return true }
        var wait = pollfd(fd: socket.descriptor.number, events: 0, revents: 0)
        return unsafe poll(&wait, 1, 0) > 0 && wait.revents & Int16(POLLERR) != 0
    }

    /// Sends bytes that are no content: the head, and the end of the chunks.
    ///
    /// Throws as `send`.
    func put(_ bytes: [UInt8]) throws(SystemCallError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CLinux.send(
                    socket.descriptor.number,
                    $0.baseAddress.map { unsafe $0 + done },
                    $0.count - done,
                    CInt(MSG_NOSIGNAL)
                )
            }
            if count >= 0 {
                done += count
                continue
            }
            let number = clinux_errno()
            switch number {
            case EINTR: continue
            case EAGAIN:
                var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLOUT), revents: 0)
                if unsafe poll(&wait, 1, CInt(clamping: stallSeconds * 1000)) > 0 { continue }
            default: break
            }
            failed = true
            throw SystemCallError("send", number: number)
        }
    }

    func end() {
        guard isChunked, !failed else { return }
        try? put(HTTPChunk.end)
    }
}
