import CLinux
import NetworkIO

/// Wakes a thread that waits for what the holder of a delegation says, and for bytes on its connection.
final class AnswerBell: Sendable {
    private let event: FileDescriptor

    init() throws { event = try FileDescriptor("open an eventfd", eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))) }

    func ring() {
        var one: UInt64 = 1
        _ = unsafe write(event.number, &one, 8)
    }

    /// Waits until it rings, `socket` can be read, or `milliseconds` have passed; whether the socket can be read.
    func wait(or socket: CInt?, milliseconds: UInt64) -> Bool {
        var waited = [pollfd(fd: event.number, events: Int16(POLLIN), revents: 0)]
        if let socket { waited.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        guard unsafe poll(&waited, nfds_t(waited.count), CInt(clamping: milliseconds)) > 0 else { return false }
        var count: UInt64 = 0
        if waited[0].revents != 0 { _ = unsafe read(event.number, &count, 8) }
        return waited.count > 1 && waited[1].revents != 0
    }
}
