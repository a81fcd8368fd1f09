import CLinux
import NetworkIO

/// Messages over TCP: each with its length in two bytes before it (RFC 1035 §4.2.2).
enum TCPFraming {
    /// The message with its length.
    static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    }

    /// The next message; nil when the other side has closed the connection before it.
    ///
    /// Throws `SystemCallError` when it does not arrive whole within so many seconds.
    static func receive(from stream: StreamSocket, seconds: Int) throws -> [UInt8]? {
        let deadline = monotonicMilliseconds() + UInt64(seconds) * 1000
        guard let length = try receive(2, from: stream, deadline) else { return nil }
        let count = Int(length[0]) << 8 | Int(length[1])
        guard count > 0 else { return [] }
        return try receive(count, from: stream, deadline)
    }

    private static func receive(_ count: Int, from stream: StreamSocket, _ deadline: UInt64) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let now = monotonicMilliseconds()
            guard now < deadline else { throw SystemCallError("receive", number: ETIMEDOUT) }
            stream.setTimeouts(receive: max(0.001, Double(deadline - now) / 1000))
            let received = try unsafe bytes.withUnsafeMutableBytes {
                try unsafe stream.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            guard received > 0 else { return nil }
            filled += received
        }
        return bytes
    }
}

/// Milliseconds of the monotonic clock.
func monotonicMilliseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
}
