import CLinux
import Synchronization

/// Waits until one of some sockets has something to read, or until another thread says to stop.
public final class ReadinessWait: Sendable {
    private let wakeUp: FileDescriptor
    private let isStopping = Atomic<Bool>(false)
    /// On the only processor, waiting awake would keep others from what is waited for.
    private static let hasProcessors = sysconf(CInt(_SC_NPROCESSORS_ONLN)) > 1
    private let sockets: [FileDescriptor]

    /// Waits on these sockets.
    ///
    /// Throws `SystemCallError` when the kernel has no descriptor to give.
    public init(_ sockets: [FileDescriptor]) throws {
        self.sockets = sockets
        wakeUp = try FileDescriptor("open an eventfd", eventfd(0, CInt(EFD_CLOEXEC)))
    }

    /// Waits, from one thread at a time; false once `stop` was called.
    ///
    /// Throws `SystemCallError` when waiting is impossible.
    public func next() throws(SystemCallError) -> Bool {
        var all: [Bool] = []
        return try next(&all)
    }

    /// Waits, at most for some milliseconds, and tells which sockets have something; false once `stop` was called.
    ///
    /// `readable` has an element for each socket, in their order; a negative time waits forever. For the first
    /// `awakeMicroseconds` the thread stays on its processor: to fall asleep and be woken costs more than many an answer.
    ///
    /// Throws `SystemCallError` when waiting is impossible.
    public func next(
        _ readable: inout [Bool],
        milliseconds: CInt = -1,
        awakeMicroseconds: Int64 = 0
    ) throws(SystemCallError) -> Bool {
        var polled = sockets.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        polled.append(pollfd(fd: wakeUp.number, events: Int16(POLLIN), revents: 0))
        var found: CInt = 0
        if awakeMicroseconds > 0, Self.hasProcessors {
            let end = ContinuousClock.now + .microseconds(awakeMicroseconds)
            repeat {
                found = unsafe poll(&polled, nfds_t(polled.count), 0)
            } while found == 0 && ContinuousClock.now < end
        }
        if found == 0, !isStopping.load(ordering: .acquiring) {
            found = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        }
        if found < 0 {
            let number = clinux_errno()
            guard number == EINTR else { throw SystemCallError("wait on sockets", number: number) }
        }
        readable.removeAll(keepingCapacity: true)
        for index in sockets.indices { readable.append(polled[index].revents != 0) }
        return !isStopping.load(ordering: .acquiring)
    }

    /// Ends the wait under way and all later ones.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        var one: UInt64 = 1
        _ = unsafe write(wakeUp.number, &one, 8)
    }
}

extension UDPSocket {
    /// Receives one datagram without waiting; nil when none is there.
    ///
    /// Throws as `receive(into:flags:)`.
    public func receiveWithoutWaiting(into buffer: inout [UInt8]) throws -> (count: Int, origin: DatagramOrigin)? {
        try receive(into: &buffer, flags: CInt(MSG_DONTWAIT))
    }
}
