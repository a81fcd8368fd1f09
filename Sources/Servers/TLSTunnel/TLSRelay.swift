import CLinux
import NetworkIO

/// Moves bytes between a TLS connection and the plain end of a tunnel until both directions are over.
struct TLSRelay: ~Copyable {
    /// One direction's bytes on their way.
    private struct Pipe {
        var bytes = [UInt8](repeating: 0, count: 128 << 10)
        var begin = 0
        var end = 0
        /// Nothing more will come in.
        var isOver = false
        var isEmpty: Bool { begin == end }
    }

    private enum Turn { case moved, waits, broken }

    private let connection: TLSConnection
    private let inner: FileDescriptor
    private var inward = Pipe()
    private var outward = Pipe()
    /// The server does not read any more; what the client still sends is dropped.
    private var innerIsDeaf = false
    private var wantsOuter: Int32 = 0
    private var wantsInner: Int32 = 0

    init(_ connection: TLSConnection, _ inner: FileDescriptor) {
        self.connection = connection
        self.inner = inner
    }

    consuming func run() {
        while turn() {}
        shutdown(inner.number, CInt(SHUT_RDWR))
        connection.socket.disconnect()
    }

    /// Moves what can be moved, or waits; false when it is over.
    private mutating func turn() -> Bool {
        (wantsOuter, wantsInner) = (0, 0)
        let steps = [readOuter(), writeInner(), readInner(), writeOuter()]
        guard !steps.contains(.broken) else { return false }
        if outward.isOver, outward.isEmpty {
            connection.sayGoodbye()
            return false
        }
        guard !steps.contains(.moved) else { return true }
        // An end that is not waited for must not wake the loop with its hang-up again and again.
        var waits = [
            pollfd(
                fd: wantsOuter == 0 ? -1 : connection.socket.descriptor.number,
                events: Int16(wantsOuter),
                revents: 0
            ),
            pollfd(fd: wantsInner == 0 ? -1 : inner.number, events: Int16(wantsInner), revents: 0),
        ]
        if unsafe poll(&waits, 2, -1) < 0 { return clinux_errno() == EINTR }
        return true
    }

    private mutating func readOuter() -> Turn {
        guard inward.isEmpty, !inward.isOver else { return .waits }
        let outcome = unsafe inward.bytes.withUnsafeMutableBytes { unsafe connection.read(into: $0) }
        switch outcome {
        case .done(let count):
            (inward.begin, inward.end) = (0, innerIsDeaf ? 0 : count)
            return .moved
        case .wantsRead: wantsOuter |= POLLIN
        case .wantsWrite: wantsOuter |= POLLOUT
        case .ended:
            inward.isOver = true
            shutdown(inner.number, CInt(SHUT_WR))
            return .moved
        case .failed: return .broken
        }
        return .waits
    }

    private mutating func writeInner() -> Turn {
        guard !inward.isEmpty else { return .waits }
        let (begin, end) = (inward.begin, inward.end)
        let count = unsafe inward.bytes.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[begin..<end])
            return unsafe send(inner.number, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
        }
        if count > 0 {
            inward.begin += count
            return .moved
        }
        switch clinux_errno() {
        case EAGAIN: wantsInner |= POLLOUT
        case EINTR: return .moved
        default:
            innerIsDeaf = true
            inward.begin = inward.end
            return .moved
        }
        return .waits
    }

    private mutating func readInner() -> Turn {
        guard outward.isEmpty, !outward.isOver else { return .waits }
        let count = unsafe outward.bytes.withUnsafeMutableBytes {
            unsafe recv(inner.number, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
        }
        if count > 0 {
            (outward.begin, outward.end) = (0, count)
            return .moved
        }
        if count == 0 {
            outward.isOver = true
            return .moved
        }
        switch clinux_errno() {
        case EAGAIN: wantsInner |= POLLIN
        case EINTR: return .moved
        default: return .broken
        }
        return .waits
    }

    private mutating func writeOuter() -> Turn {
        guard !outward.isEmpty else { return .waits }
        let (begin, end) = (outward.begin, outward.end)
        let outcome = unsafe outward.bytes.withUnsafeBytes { bytes in
            unsafe connection.write(UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
        }
        switch outcome {
        case .done(let count):
            outward.begin += count
            return .moved
        case .wantsRead: wantsOuter |= POLLIN
        case .wantsWrite: wantsOuter |= POLLOUT
        case .ended, .failed: return .broken
        }
        return .waits
    }
}
