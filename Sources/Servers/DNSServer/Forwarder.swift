import CLinux
import DNS
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Asks other servers, one after another until one answers.
///
/// Each question has a port and an id of its own, both unforeseeable (RFC 5452). Who asks the same meanwhile waits for the same answer.
final class Forwarder: Sendable {
    /// Called once with the answer, or with nil when nobody gave one.
    typealias Waiter = @Sendable (DNSMessage?) -> Void

    /// One question under way.
    private struct Ask {
        var key: DNSCache.Key
        var waiters: [Waiter]
        var id: UInt16 = 0
        var tries = 0
        var upstream: Int
        var deadline: UInt64 = 0
        var usesExtended = true
        var isOverTCP = false
        var socket: FileDescriptor?
        /// An answer that says little, for when no other server says more.
        var fallback: DNSMessage?
        /// Distinguishes it from a later one of the same key.
        var serial: UInt64
    }

    private struct State {
        var asks: [DNSCache.Key: Ask] = [:]
        var keys: [CInt: DNSCache.Key] = [:]
        var preferred = 0
        var serial: UInt64 = 0
        var streams = 0
        var isStopped = false
        var lastWarning: UInt64 = 0
    }

    /// How many may wait for one answer.
    private static let waiterLimit = 64
    /// How many questions are asked over TCP at a time.
    private static let streamLimit = 16

    private let options: DNSServerOptions
    private let logger: Logger
    private let epoll: FileDescriptor
    private let state = Mutex(State())
    private let keep: @Sendable (DNSMessage, DNSCache.Key, Int) -> Void

    init(
        _ options: DNSServerOptions,
        logger: Logger,
        keep: @escaping @Sendable (DNSMessage, DNSCache.Key, Int) -> Void
    ) throws {
        self.options = options
        self.logger = logger
        self.keep = keep
        epoll = try FileDescriptor("open an epoll", epoll_create1(CInt(EPOLL_CLOEXEC)))
        try WorkerThread.start("dns-upstream", stackBytes: 1 << 20) { [self] in run() }
    }

    func stop() {
        let waiters = state.withLock { state in
            state.isStopped = true
            defer {
                state.asks = [:]
                state.keys = [:]
            }
            return state.asks.values.flatMap(\.waiters)
        }
        for waiter in waiters { waiter(nil) }
    }

    /// Asks; the waiter is called on a thread of the forwarder's, or at once when nothing can be asked.
    func ask(_ key: DNSCache.Key, _ waiter: @escaping Waiter) {
        let isTaken = state.withLock { state in
            guard !state.isStopped else { return false }
            if state.asks[key] != nil {
                guard state.asks[key]?.waiters.count ?? 0 < Self.waiterLimit else { return false }
                state.asks[key]?.waiters.append(waiter)
                return true
            }
            guard state.asks.count < options.questionsUnderWay else { return false }
            state.serial += 1
            var ask = Ask(key: key, waiters: [waiter], upstream: state.preferred, serial: state.serial)
            send(&ask, &state)
            state.asks[key] = ask
            return true
        }
        if !isTaken { waiter(nil) }
    }

    // MARK: One try

    private func query(_ ask: Ask) -> DNSMessage {
        var message = DNSMessage(id: ask.id, questions: [ask.key.question])
        message.wantsRecursion = true
        message.isCheckingDisabled = ask.key.isCheckingDisabled
        if ask.usesExtended {
            message.extended = ExtendedOptions(payloadSize: ExtendedOptions.safePayloadSize)
            message.extended?.wantsSignatures = ask.key.wantsSignatures
        }
        return message
    }

    /// Sends the question from a new socket; one that cannot be had counts as a try that nobody answered.
    private func send(_ ask: inout Ask, _ state: inout State) {
        close(&ask, &state)
        ask.id = UInt16.random(in: 0...UInt16.max)
        ask.deadline = monotonicMilliseconds() + options.patience[min(ask.tries, options.patience.count - 1)]
        ask.tries += 1
        let upstream = options.upstreams[ask.upstream % options.upstreams.count]
        guard let socket = try? ConnectedDatagramSocket(from: .any, to: upstream) else { return }
        var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: socket.descriptor.number))
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, socket.descriptor.number, &event) == 0 else { return }
        socket.send(query(ask).encoded())
        state.keys[socket.descriptor.number] = ask.key
        ask.socket = socket.descriptor
    }

    private func close(_ ask: inout Ask, _ state: inout State) {
        guard let socket = ask.socket else { return }
        // Closing the last descriptor takes it out of the epoll too.
        state.keys[socket.number] = nil
        ask.socket = nil
    }

    /// Goes on with the next server; nil when all had their turn and the question is over.
    private func goOn(_ ask: Ask, _ state: inout State) -> Ask? {
        var next = ask
        next.isOverTCP = false
        next.upstream = (ask.upstream + 1) % options.upstreams.count
        guard ask.tries < max(options.patience.count, options.upstreams.count) else { return nil }
        send(&next, &state)
        return next
    }

    // MARK: The thread

    private func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 64)
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var lookedForLate: UInt64 = 0
        while !state.withLock(\.isStopped) {
            let count = unsafe epoll_wait(epoll.number, &events, CInt(events.count), 100)
            for index in 0..<max(0, Int(count)) { receive(unsafe events[index].data.fd, &buffer) }
            let now = monotonicMilliseconds()
            guard now >= lookedForLate + 100 else { continue }
            lookedForLate = now
            expire(now)
        }
    }

    private func receive(_ number: CInt, _ buffer: inout [UInt8]) {
        let found = state.withLock { state -> (socket: FileDescriptor, ask: Ask)? in
            guard let key = state.keys[number], let ask = state.asks[key], let socket = ask.socket else { return nil }
            return (socket, ask)
        }
        guard let (socket, ask) = found else { return }
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(socket.number, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
        }
        if count < 0 {
            // The port is closed, or there is no way to it.
            let error = clinux_errno()
            return error == EAGAIN || error == EINTR ? () : finish(ask, with: nil)
        }
        // What is not the answer to this question is not looked at further: it may be made up.
        guard let message = try? DNSMessage(buffer.span.extracting(0..<count)), isAnswer(message, to: ask) else {
            return
        }
        take(message, of: ask, size: count)
    }

    private func isAnswer(_ message: DNSMessage, to ask: Ask) -> Bool {
        guard message.isResponse, message.operation == .query else { return false }
        // A server that does not understand the message may leave the question out.
        let isEcho = message.questions == [ask.key.question] || message.questions.isEmpty && message.code != .noError
        return message.id == ask.id && isEcho
    }

    private func take(_ message: DNSMessage, of ask: Ask, size: Int) {
        if message.isTruncated, !ask.isOverTCP { return askOverTCP(ask, truncated: message) }
        switch message.code {
        case .noError, .noSuchName: finish(ask, with: message, size: size)
        case .formatError where ask.usesExtended && !ask.key.wantsSignatures,
            .notImplemented where ask.usesExtended && !ask.key.wantsSignatures:
            // RFC 6891 §7: an old server; ask it again as it wants.
            change(ask) { ask, state in
                ask.usesExtended = false
                ask.tries -= 1
                send(&ask, &state)
            }
        default: finish(ask, with: nil, fallback: message)
        }
    }

    private func change(_ ask: Ask, _ change: (inout Ask, inout State) -> Void) {
        state.withLock { state in
            guard var current = state.asks[ask.key], current.serial == ask.serial else { return }
            change(&current, &state)
            state.asks[ask.key] = current
        }
    }

    /// Ends a question with its answer, or goes on with the next server when there is none.
    private func finish(_ ask: Ask, with message: DNSMessage?, size: Int = 0, fallback: DNSMessage? = nil) {
        var answer = message
        let waiters = state.withLock { state -> [Waiter] in
            guard var current = state.asks[ask.key], current.serial == ask.serial, current.tries == ask.tries else {
                return []
            }
            current.fallback = fallback ?? current.fallback
            if message == nil {
                if let next = goOn(current, &state) {
                    state.asks[ask.key] = next
                    return []
                }
                answer = current.fallback
                warn(&state, current)
            } else {
                state.preferred = current.upstream
            }
            close(&current, &state)
            state.asks[ask.key] = nil
            return current.waiters
        }
        if let answer, !waiters.isEmpty { keep(answer, ask.key, max(size, 64)) }
        for waiter in waiters { waiter(answer) }
    }

    private func warn(_ state: inout State, _ ask: Ask) {
        let now = monotonicMilliseconds()
        guard ask.fallback == nil, state.lastWarning == 0 || now > state.lastWarning + 60_000 else { return }
        state.lastWarning = now
        let servers = options.upstreams.map(\.description).joined(separator: ", ")
        logger.warning("DNS: no answer from \(servers): names outside this network are not found")
    }

    private func expire(_ now: UInt64) {
        let late = state.withLock { $0.asks.values.filter { now > $0.deadline } }
        for ask in late { finish(ask, with: nil) }
    }

    // MARK: TCP

    /// Asks the same server over TCP, for an answer that does not fit into a datagram.
    private func askOverTCP(_ ask: Ask, truncated: DNSMessage) {
        let may = state.withLock { state -> Bool in
            guard state.streams < Self.streamLimit, var current = state.asks[ask.key], current.serial == ask.serial,
                !current.isOverTCP
            else { return false }
            close(&current, &state)
            current.isOverTCP = true
            current.deadline = monotonicMilliseconds() + 6000
            state.asks[ask.key] = current
            state.streams += 1
            return true
        }
        // Without room the cut answer is passed on: who asked will ask over TCP too.
        guard may else { return finish(ask, with: truncated, size: 0) }
        let started: ()? = try? WorkerThread.start("dns-tcp-ask", stackBytes: 512 << 10) { [self] in
            var asked = ask
            asked.isOverTCP = true
            let upstream = options.upstreams[ask.upstream % options.upstreams.count]
            let answer = try? exchange(query(ask).encoded(), with: upstream)
            state.withLock { $0.streams -= 1 }
            guard let answer, let message = try? DNSMessage(answer.span), isAnswer(message, to: ask) else {
                return finish(asked, with: nil)
            }
            take(message, of: asked, size: answer.count)
        }
        if started == nil {
            state.withLock { $0.streams -= 1 }
            finish(ask, with: truncated)
        }
    }

    private func exchange(_ query: [UInt8], with upstream: Endpoint) throws -> [UInt8] {
        let stream = try StreamSocket(connectingTo: upstream, timeoutSeconds: 2)
        stream.setTimeouts(receive: 2, send: 2)
        try stream.send(TCPFraming.framed(query))
        guard let answer = try TCPFraming.receive(from: stream, seconds: 5) else { throw SystemCallError("receive") }
        return answer
    }
}
