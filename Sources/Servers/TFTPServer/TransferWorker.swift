import CLinux
import NetworkIO
import NetworkTypes
import Synchronization
import TFTP

/// One thread that drives any number of transfers: it waits for their packets and for their deadlines.
final class TransferWorker: Sendable {
    enum Message: Sendable {
        case begin(PreparedTransfer)
        /// A packet of a transfer that shares the server's port.
        case packet(from: Endpoint, [UInt8])
        case stop
    }

    private let epoll: FileDescriptor
    private let wake: FileDescriptor
    private let inbox = Mutex<[Message]>([])
    private let ended: @Sendable (TFTPTransferReport) -> Void

    /// `ended` is told about every transfer that was begun.
    init(_ number: Int, ended: @escaping @Sendable (TFTPTransferReport) -> Void) throws {
        self.ended = ended
        epoll = try FileDescriptor("epoll", epoll_create1(CInt(EPOLL_CLOEXEC)))
        wake = try FileDescriptor("eventfd", eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)))
        try Self.watch(epoll, wake, Self.wakeMark)
        try WorkerThread.start("tftp-send-\(number)") { [self] in run() }
    }

    private static let wakeMark = UInt64.max

    static func watch(_ epoll: FileDescriptor, _ descriptor: FileDescriptor, _ mark: UInt64) throws(SystemCallError) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.u64 = mark
        try check("watch a socket", unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor.number, &event))
    }

    func post(_ message: Message) {
        let wasEmpty = inbox.withLock { inbox in
            inbox.append(message)
            return inbox.count == 1
        }
        if wasEmpty { eventfd_write(wake.number, 1) }
    }

    private func run() {
        var loop = TransferLoop(epoll: epoll, ended: ended)
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: 64)
        defer { unsafe events.deallocate() }
        var nextScan: UInt64 = 0
        var packets = PacketWait()
        while true {
            let count = unsafe packets.wait(epoll.number, events, 64, milliseconds: loop.isEmpty ? -1 : 50)
            let now = monotonicNow()
            for index in 0..<max(0, Int(count)) {
                let mark = unsafe events[index].data.u64
                if mark != Self.wakeMark {
                    loop.socketReady(mark, now)
                } else if !takeMessages(&loop, now) {
                    return
                }
            }
            guard now >= nextScan else { continue }
            loop.checkDeadlines(now)
            nextScan = now + 50_000_000
        }
    }

    /// False when the worker shall end.
    private func takeMessages(_ loop: inout TransferLoop, _ now: UInt64) -> Bool {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(wake.number, &count)
        let messages = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for message in messages {
            switch message {
            case .begin(let prepared): loop.begin(prepared, now)
            case .packet(let peer, let bytes): loop.packet(bytes, from: peer, now)
            case .stop:
                loop.endAll(now)
                return false
            }
        }
        return true
    }
}
