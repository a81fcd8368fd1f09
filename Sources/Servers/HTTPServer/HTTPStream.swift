import CLinux
import HTTP1
import NetworkIO

/// The writing end of a streamed reply; for the closure that makes the content, on its thread.
public final class HTTPStream {
    private let socket: StreamSocket
    private let isChunked: Bool
    private(set) var bytesSent: UInt64 = 0
    private(set) var failed = false

    init(_ socket: StreamSocket, isChunked: Bool) {
        self.socket = socket
        self.isChunked = isChunked
    }

    /// Sends bytes at once.
    ///
    /// Throws `SystemCallError` when the client has left or stopped reading.
    public func send(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        do {
            try socket.send(isChunked ? HTTPChunk.encode(bytes) : bytes)
            bytesSent += UInt64(bytes.count)
        } catch {
            failed = true
            throw error
        }
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

    func end() {
        guard isChunked, !failed else { return }
        do { try socket.send(HTTPChunk.end) } catch { failed = true }
    }
}
