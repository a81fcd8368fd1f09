import CLinux
import HTTP1
import Logging
import NetworkIO
import Synchronization

/// The connections of one worker thread: what arrives is read, answered and sent without ever waiting for a client.
///
/// Sockets are watched edge-triggered, once: a connection remembers itself that there may be more to read.
struct HTTPLoop: ~Copyable {
    /// What a worker hands to its loop.
    struct Surroundings: Sendable {
        let handler: any HTTPHandler
        let options: HTTPServerOptions
        let table: ConnectionTable
        let logger: Logger
        /// Asks a handler on a thread of its own; the answer comes back by `answered` or `streamed`.
        let ask: @Sendable (_ mark: UInt64, HTTPRequest, StreamSocket, _ began: UInt64) -> Bool
        /// Passes a report on.
        let tell: @Sendable (HTTPReport) -> Void
    }

    /// Bytes of files that go out before other connections get their turn.
    static let turnBytes = 8 << 20
    /// Requests of one connection that are answered before other connections get their turn.
    static let turnRequests = 32

    let around: Surroundings
    private let epoll: FileDescriptor
    private var slots: [HTTPConnection?] = []
    private var free: [Int] = []
    private var generation: UInt32 = 0
    /// Connections that have had their turn and can go on.
    private var later: [UInt64] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    var out = ReplyBuffer()
    var memo = RequestMemo()
    /// The time of this round (monotonic nanoseconds).
    private(set) var now: UInt64 = 0
    /// The end of every head: the date and the empty line.
    private(set) var dateAndEnd: [UInt8] = []
    private var dateSecond = 0

    init(_ around: Surroundings, epoll: FileDescriptor) {
        self.around = around
        self.epoll = epoll
    }

    /// Whether nothing is connected.
    var isEmpty: Bool { slots.count == free.count }
    /// Whether connections can go on without any news.
    var hasWork: Bool { !later.isEmpty }

    /// A round begins.
    mutating func begin() {
        now = coarseNow()
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        guard time.tv_sec != dateSecond else { return }
        dateSecond = time.tv_sec
        dateAndEnd = Array("\(HTTPDate(seconds: time.tv_sec))\r\n\r\n".utf8)
    }

    /// Takes a connection over.
    mutating func add(_ entry: ConnectionEntry) {
        generation &+= 1
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        let connection = HTTPConnection(entry, mark: UInt64(generation) << 32 | UInt64(slot))
        connection.deadline = now + seconds(around.options.idleSeconds)
        slots[slot] = connection
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        unsafe event.data.u64 = connection.mark
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, connection.socket, &event) == 0 else {
            around.logger.error("HTTP \(connection.peer): \(SystemCallError("watch a connection"))")
            close(connection)
            return
        }
    }

    func seconds(_ count: Int) -> UInt64 { UInt64(max(0, count)) * 1_000_000_000 }

    private func connection(_ mark: UInt64) -> HTTPConnection? {
        let slot = Int(mark & 0xFFFF_FFFF)
        guard slot < slots.count, let connection = slots[slot], connection.mark == mark else { return nil }
        return connection
    }

    /// The kernel has news of a connection.
    mutating func ready(_ mark: UInt64, events: UInt32) {
        guard let connection = connection(mark) else { return }
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            connection.isReadable = true
        }
        if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue) != 0 { connection.hasEnded = true }
        drive(connection)
    }

    /// Goes on with the connections whose turn was over.
    mutating func goOn() {
        let marks = later
        later.removeAll(keepingCapacity: true)
        for mark in marks { if let connection = connection(mark) { drive(connection) } }
    }

    /// A handler has answered.
    mutating func answered(_ mark: UInt64, _ request: HTTPRequest, _ response: HTTPResponse, began: UInt64) {
        guard let connection = connection(mark), case .answering = connection.phase else { return }
        let reported = around.handler.wantsReport(of: request.head) ? request : nil
        send(PreparedReply(response, to: request.head), on: connection, reported, began)
        drive(connection)
    }

    /// A stream is over; the report was given on its thread.
    mutating func streamed(_ mark: UInt64, keepsConnection: Bool) {
        guard let connection = connection(mark), case .answering = connection.phase else { return }
        guard keepsConnection else { return close(connection) }
        rest(connection)
        drive(connection)
    }

    /// Ends what has lost its patience.
    mutating func checkDeadlines() {
        for case let connection? in slots where connection.deadline <= now {
            switch connection.phase {
            case .answering: continue
            case .idle, .lingering: close(connection)
            case .head, .body:
                let limit = around.options.requestSeconds
                refuse(connection, .requestTimeout, "the request did not arrive within \(limit) s")
                drive(connection)
            case .sending(let reply): cut(connection, reply)
            }
        }
    }

    /// Ends every connection.
    mutating func endAll() { for case let connection? in slots { close(connection) } }

    /// Goes on with one connection until it has to wait for the client, for a handler or for its turn.
    private mutating func drive(_ connection: HTTPConnection) {
        for _ in 0..<Self.turnRequests {
            switch connection.phase {
            case .answering: return
            case .sending:
                guard flush(connection) else { return }
            case .lingering:
                if !drain(connection) { close(connection) }
                return
            case .idle, .head, .body:
                switch takeInput(connection) {
                case .goOn: continue
                case .wait: return
                case .closed: return close(connection)
                }
            }
        }
        yield(connection)
    }

    /// Lets others go first.
    func isOver(_ connection: HTTPConnection) -> Bool { slots[Int(connection.mark & 0xFFFF_FFFF)] !== connection }
    mutating func yield(_ connection: HTTPConnection) { later.append(connection.mark) }

    /// Waits for the next request.
    mutating func rest(_ connection: HTTPConnection) {
        connection.phase = .idle
        connection.searched = 0
        connection.deadline = now + seconds(around.options.idleSeconds)
        connection.entry.idleSince.store(now, ordering: .relaxed)
    }

    /// Reads away what a client still sends after the last reply; false when it has ended.
    private mutating func drain(_ connection: HTTPConnection) -> Bool {
        for _ in 0..<8 {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(connection.socket, $0.baseAddress, $0.count, 0)
            }
            if count < 0 { return clinux_errno() == EAGAIN || clinux_errno() == EINTR }
            if count == 0 { return false }
        }
        return false
    }

    /// Closes a connection whose reply did not go out whole.
    mutating func cut(_ connection: HTTPConnection, _ reply: OutgoingReply) {
        if let report = reply.account.report(unsent: reply.unsent, isComplete: false) { around.tell(report) }
        close(connection)
    }

    /// Forgets a connection and ends it.
    mutating func close(_ connection: HTTPConnection) {
        let slot = Int(connection.mark & 0xFFFF_FFFF)
        guard slot < slots.count, slots[slot] === connection else { return }
        slots[slot] = nil
        free.append(slot)
        // The descriptor may live on in a stream: it must not be told of any more.
        _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, connection.socket, nil)
        connection.entry.socket.disconnect()
        around.table.remove(connection.entry)
    }
}
