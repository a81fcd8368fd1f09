import CLinux
import Logging
import NFS4
import NetworkIO
import NetworkTypes
import ONCRPC
import Synchronization
import XDR

/// Calls of the server to its clients: recalls of delegations, questions about what was written under one, locks that are free
/// again, and finding out whether a client of version 4.0 can be reached.
///
/// Clients with sessions are called on a connection of theirs; its own thread takes the answer. Clients of version 4.0 are
/// called on a connection that is made for the call, by a thread of its own.
final class Callbacks: Sendable {
    /// Calls to clients of version 4.0 at the same time.
    private static let limit = 16
    /// How long an answer is waited for, in milliseconds.
    private static let patience: UInt64 = 10_000
    /// How often a recall is tried that the client does not take, a second apart each time.
    private static let tries = 5

    /// What a client is called for.
    private enum Errand {
        case recall(NFS4Recall)
        case inquire(NFS4Inquiry)
        case notify(NFS4LockNotice)

        var client: UInt64 {
            switch self {
            case .recall(let recall): recall.client
            case .inquire(let inquiry): inquiry.client
            case .notify(let notice): notice.client
            }
        }

        func encode(identifier: UInt32, session: NFS4State.BackCall?, into writer: inout XDRWriter) {
            switch self {
            case .recall(let recall):
                NFS4Callback.recall(recall, identifier: identifier, session: session, into: &writer)
            case .inquire(let inquiry):
                NFS4Callback.inquire(inquiry, identifier: identifier, session: session, into: &writer)
            case .notify(let notice):
                NFS4Callback.notify(notice, identifier: identifier, session: session, into: &writer)
            }
        }
    }

    /// What came back.
    private struct Answer {
        /// Of the whole call; nil when there is no answer that can be read.
        var status: NFS4Status?
        /// What the holder of a delegation says of its file.
        var attributes: NFS4HeldAttributes?

        init(_ record: RawSpan) {
            status = NFS4Callback.status(of: record)
            attributes = NFS4Callback.attributes(of: record)
        }

        init() {}
    }

    private struct Waiting {
        var call: NFS4State.BackCall
        var errand: Errand
        var deadline: UInt64
    }

    private struct State {
        var waiting: [UInt32: Waiting] = [:]
        var lastXID: UInt32 = 0x4e00_0000
        var running = 0
        var again: [NFS4Recall: Int] = [:]
        var retry: [NFS4Recall] = []
        var isStopping = false
        /// Threads that wait for an answer to a question.
        var bells: [ObjectIdentifier: AnswerBell] = [:]
    }

    private let state = Mutex(State())
    private let bell: CInt
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
        bell = eventfd(0, CInt(EFD_CLOEXEC))
    }

    deinit { close(bell) }

    /// Has the thread look for calls.
    func wake() {
        var one: UInt64 = 1
        _ = unsafe write(bell, &one, 8)
    }

    /// Ends `run`.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
    }

    /// The thread's work: makes the calls that wait.
    func run(_ server: NFSServer) {
        var count: UInt64 = 0
        while unsafe read(bell, &count, 8) == 8 {
            if state.withLock({ $0.isStopping }) { return }
            takeAnswers(server)
            var later: [NFS4Action] = []
            for action in server.version4.takeCalls() {
                switch action {
                case .recall(let recall): if !begin(.recall(recall), server) { later.append(action) }
                case .notify(let notice): if !begin(.notify(notice), server) { later.append(action) }
                case .inquire(let inquiry):
                    // Whose asker waits no more is not asked; behind another call it may take so long.
                    guard server.version4.perform({ state, _ in state.isAwaited(inquiry) }) else { continue }
                    if !begin(.inquire(inquiry), server) { later.append(action) }
                case .probe(let client, let place):
                    let isStarted = start(server) { [self] in
                        let works = call(place, nil).status == .ok
                        server.version4.perform { state, _ in state.callbackPath(of: client, place, works: works) }
                    }
                    if !isStarted { later.append(action) }
                case .record, .erase: continue
                }
            }
            // Tried again when something has come to its end, or a second later.
            if !later.isEmpty { server.version4.putBack(later) }
        }
    }

    /// Makes a call; false when it must wait for another one.
    private func begin(_ errand: Errand, _ server: NFSServer) -> Bool {
        let client = errand.client
        let place = server.version4.perform { state, _ in state.callbackPlace(of: client) }
        if let place {
            return start(server) { [self] in
                let answer = call(place, errand)
                let works = answer.status != nil
                server.version4.perform { state, _ in state.callbackPath(of: client, place, works: works) }
                settle(errand, answer, server)
            }
        }
        switch server.version4.perform({ state, _ in state.beginCall(client) }) {
        case .busy: return false
        case .unreachable:
            settle(errand, Answer(), server)
            return true
        case .go(let call):
            let xid = state.withLock { state in
                state.lastXID &+= 1
                state.waiting[state.lastXID] = Waiting(
                    call: call,
                    errand: errand,
                    deadline: NFS4Service.now + Self.patience
                )
                return state.lastXID
            }
            let message = Self.message(xid, call.program, call.security) {
                errand.encode(identifier: 0, session: call, into: &$0)
            }
            guard let handle = server.connection(call.connection) else {
                ended(xid, Answer(), server)
                return true
            }
            if handle.tryBeginSending() {
                defer { handle.endSending() }
                if !Self.send(message, on: handle) { ended(xid, Answer(), server) }
                return true
            }
            // A reply goes out there, at the pace of its client: nobody else's call waits for that.
            let isStarted = start(server) { [self] in
                handle.beginSending()
                defer { handle.endSending() }
                guard state.withLock({ $0.waiting[xid] != nil }) else { return }
                if !Self.send(message, on: handle) { ended(xid, Answer(), server) }
            }
            if !isStarted { ended(xid, Answer(), server) }
            return true
        }
    }

    /// Sends without waiting for anybody, within `beginSending`: a client that takes nothing loses its connection.
    private static func send(_ message: [UInt8], on handle: ConnectionHandle) -> Bool {
        let sent = unsafe message.withUnsafeBytes {
            unsafe CLinux.send(
                handle.socket.descriptor.number,
                $0.baseAddress,
                $0.count,
                CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
            )
        }
        if sent == message.count { return true }
        // Half a message cannot be taken back.
        if sent > 0 { handle.cut() }
        return false
    }

    /// A client has answered on one of its connections.
    func answered(_ connection: UInt64, _ record: RawSpan) {
        guard record.byteCount >= 4 else { return }
        let xid = unsafe record.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self).bigEndian
        let answer = Answer(record)
        answers.withLock { $0.append((xid, connection, answer)) }
        wake()
    }

    private let answers = Mutex<[(xid: UInt32, connection: UInt64, answer: Answer)]>([])

    private func ended(_ xid: UInt32, _ answer: Answer, _ server: NFSServer) {
        guard let waiting = state.withLock({ $0.waiting.removeValue(forKey: xid) }) else { return }
        let wasAnswered = answer.status != nil
        server.version4.perform { state, _ in state.endCall(waiting.call, wasAnswered: wasAnswered) }
        settle(waiting.errand, answer, server)
    }

    private func settle(_ errand: Errand, _ answer: Answer, _ server: NFSServer) {
        switch errand {
        case .recall(let recall): settle(recall, answer.status, server)
        case .inquire(let inquiry):
            server.version4.perform { state, now in state.answered(inquiry, answer.attributes, now: now) }
            for bell in state.withLock({ Array($0.bells.values) }) { bell.ring() }
        // Who was not reached asks again by itself.
        case .notify: break
        }
    }

    /// Has a bell rung at each answer to a question, until `remove`.
    func add(_ bell: AnswerBell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = bell } }

    /// Ends `add`.
    func remove(_ bell: AnswerBell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = nil } }

    /// What becomes of a recall after its call.
    private func settle(_ recall: NFS4Recall, _ status: NFS4Status?, _ server: NFSServer) {
        let isOutstanding = server.version4.perform { state, _ in state.isOutstanding(recall) }
        guard isOutstanding, status != .ok else {
            state.withLock { $0.again[recall] = nil }
            return
        }
        let tries = state.withLock { state in
            let tries = (state.again[recall] ?? 0) + 1
            state.again[recall] = tries < Self.tries ? tries : nil
            if tries < Self.tries { state.retry.append(recall) }
            return tries
        }
        guard tries >= Self.tries else { return }
        // It does not know the delegation, and says so: then it is gone. Who says nothing has until its lease ends.
        if status != nil { server.version4.perform { state, _ in state.recallUnknown(recall) } }
    }

    /// Takes answers, and gives up calls that are not answered; called about every second and whenever an answer has come.
    func sweep(_ server: NFSServer) {
        takeAnswers(server)
        let now = NFS4Service.now
        let late = state.withLock { state in state.waiting.filter { now > $0.value.deadline }.map(\.key) }
        for xid in late { ended(xid, Answer(), server) }
        let retry = state.withLock { state in
            defer { state.retry = [] }
            return state.retry
        }
        if !retry.isEmpty { server.version4.putBack(retry.map { .recall($0) }) }
        wake()
    }

    private func takeAnswers(_ server: NFSServer) {
        let all = answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        for answer in all {
            let isRight = state.withLock { $0.waiting[answer.xid]?.call.connection == answer.connection }
            if isRight { ended(answer.xid, answer.answer, server) }
        }
    }

    /// A connection is over: what was asked on it is not answered any more.
    func connectionEnded(_ connection: UInt64) {
        state.withLock { state in
            for xid in state.waiting.keys where state.waiting[xid]?.call.connection == connection {
                state.waiting[xid]?.deadline = 0
            }
        }
    }

    private static func message(
        _ xid: UInt32,
        _ program: UInt32,
        _ security: NFS4CallbackSecurity,
        procedure: UInt32 = NFS4Callback.compound,
        _ arguments: (inout XDRWriter) -> Void
    ) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: NFS4Callback.sizeLimit)
        let count = unsafe memory.withUnsafeMutableBytes { room in
            var writer = unsafe XDRWriter(unsafely: room)
            NFS4Callback.begin(xid: xid, program: program, procedure: procedure, security: security, into: &writer)
            arguments(&writer)
            NFS4Callback.finish(&writer)
            return writer.count
        }
        return Array(memory[..<count])
    }

    // MARK: Version 4.0

    /// Runs a call on a thread of its own; false when there are too many.
    private func start(_ server: NFSServer, _ body: @escaping @Sendable () -> Void) -> Bool {
        let mayRun = state.withLock { state in
            guard state.running < Self.limit else { return false }
            state.running += 1
            return true
        }
        guard mayRun else { return false }
        do {
            try WorkerThread.start("nfs-call") { [self] in
                body()
                state.withLock { $0.running -= 1 }
                wake()
            }
            return true
        } catch {
            state.withLock { $0.running -= 1 }
            return false
        }
    }

    /// One call on a connection of its own: an errand, or the empty procedure.
    private func call(_ place: NFS4CallbackPlace, _ errand: Errand?) -> Answer {
        guard let endpoint = place.endpoint else { return Answer() }
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard let descriptor = try? FileDescriptor("open a TCP socket", number) else { return Answer() }
        let stream = StreamSocket(descriptor, peer: endpoint)
        // The limit for sending holds for connecting too.
        stream.setTimeouts(receive: 5, send: 3)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = endpoint.address.value.bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard unsafe clinux_connect(number, &address, length) == 0 else { return Answer() }
        let message: [UInt8]
        let security = NFS4CallbackSecurity(user: 0, group: 0)
        if let errand {
            message = Self.message(1, place.program, security) {
                errand.encode(identifier: place.identifier, session: nil, into: &$0)
            }
        } else {
            message = Self.message(1, place.program, security, procedure: 0) { _ in }
        }
        do throws(SystemCallError) { try stream.send(message) } catch { return Answer() }
        return Self.receive(stream) ?? Answer()
    }

    private static func receive(_ stream: StreamSocket) -> Answer? {
        var room = [UInt8](repeating: 0, count: 4096)
        var have = 0
        while have < room.count {
            let from = have
            let count = unsafe room.withUnsafeMutableBytes { memory -> Int in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[from...])
                return (unsafe try? stream.receive(into: rest)) ?? 0
            }
            guard count > 0 else { return nil }
            have += count
            let filled = have
            let result: Answer?? = unsafe room.withUnsafeMutableBytes { memory in
                switch unsafe RecordMarking.next(unsafely: memory, 0, filled, limit: 4000) {
                case .incomplete: return nil
                case .record(let body, _):
                    let record = unsafe UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: memory[body]))
                    return .some(Answer(unsafe RawSpan(_unsafeBytes: record)))
                default: return .some(nil)
                }
            }
            if let result { return result }
        }
        return nil
    }
}

extension NFS4CallbackPlace {
    /// Where that is: a universal address, six numbers between points (RFC 5665, section 5.2.3.3).
    var endpoint: Endpoint? {
        guard network == Array("tcp".utf8) else { return nil }
        let parts = String(decoding: address, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { UInt8($0) }
        guard parts.count == 6, bytes.count == 6 else { return nil }
        return Endpoint(
            IPv4Address(bytes[0], bytes[1], bytes[2], bytes[3]),
            UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        )
    }
}
