import CLinux
import Logging
import NFS4
import NetworkIO
import NetworkTypes
import ONCRPC
import Synchronization
import XDR

/// Calls of the server to its clients: recalls of delegations, and finding out whether a client of version 4.0 can be reached.
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

    private struct Waiting {
        var call: NFS4State.BackCall
        var recall: NFS4Recall
        var deadline: UInt64
    }

    private struct State {
        var waiting: [UInt32: Waiting] = [:]
        var lastXID: UInt32 = 0x4e00_0000
        var running = 0
        var again: [NFS4Recall: Int] = [:]
        var retry: [NFS4Recall] = []
        var isStopping = false
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
                case .recall(let recall): if !begin(recall, server) { later.append(action) }
                case .probe(let client, let place):
                    let isStarted = start(server) { [self] in
                        let works = call(place, recall: nil) == .ok
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

    /// Recalls; false when it must wait for another call.
    private func begin(_ recall: NFS4Recall, _ server: NFSServer) -> Bool {
        let place = server.version4.perform { state, _ in state.callbackPlace(of: recall.client) }
        if let place {
            return start(server) { [self] in
                let status = call(place, recall: recall)
                if status == nil {
                    server.version4.perform { state, _ in state.callbackPath(of: recall.client, place, works: false) }
                }
                settle(recall, status, server)
            }
        }
        switch server.version4.perform({ state, _ in state.beginCall(recall.client) }) {
        case .busy: return false
        case .unreachable:
            settle(recall, nil, server)
            return true
        case .go(let call):
            let xid = state.withLock { state in
                state.lastXID &+= 1
                state.waiting[state.lastXID] = Waiting(
                    call: call,
                    recall: recall,
                    deadline: NFS4Service.now + Self.patience
                )
                return state.lastXID
            }
            let message = Self.message(xid, call.program, call.security) {
                NFS4Callback.recall(recall, identifier: 0, session: call, into: &$0)
            }
            if !send(message, on: call.connection, server) { ended(xid, nil, server) }
            return true
        }
    }

    /// Sends without waiting for anybody: a client that takes nothing loses its connection.
    private func send(_ message: [UInt8], on connection: UInt64, _ server: NFSServer) -> Bool {
        guard let handle = server.connection(connection) else { return false }
        handle.beginSending()
        defer { handle.endSending() }
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
        let status = NFS4Callback.status(of: record)
        answers.withLock { $0.append((xid, connection, status)) }
        wake()
    }

    private let answers = Mutex<[(xid: UInt32, connection: UInt64, status: NFS4Status?)]>([])

    private func ended(_ xid: UInt32, _ status: NFS4Status?, _ server: NFSServer) {
        guard let waiting = state.withLock({ $0.waiting.removeValue(forKey: xid) }) else { return }
        server.version4.perform { state, _ in state.endCall(waiting.call, wasAnswered: status != nil) }
        settle(waiting.recall, status, server)
    }

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
        for xid in late { ended(xid, nil, server) }
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
            if isRight { ended(answer.xid, answer.status, server) }
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

    /// One call on a connection of its own: a recall, or the empty procedure; nil when there is no answer.
    private func call(_ place: NFS4CallbackPlace, recall: NFS4Recall?) -> NFS4Status? {
        guard let endpoint = place.endpoint else { return nil }
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard let descriptor = try? FileDescriptor("open a TCP socket", number) else { return nil }
        let stream = StreamSocket(descriptor, peer: endpoint)
        // The limit for sending holds for connecting too.
        stream.setTimeouts(receive: 5, send: 3)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = endpoint.address.value.bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard unsafe clinux_connect(number, &address, length) == 0 else { return nil }
        let message: [UInt8]
        let security = NFS4CallbackSecurity(user: 0, group: 0)
        if let recall {
            message = Self.message(1, place.program, security) {
                NFS4Callback.recall(recall, identifier: place.identifier, session: nil, into: &$0)
            }
        } else {
            message = Self.message(1, place.program, security, procedure: 0) { _ in }
        }
        do throws(SystemCallError) { try stream.send(message) } catch { return nil }
        return Self.receive(stream)
    }

    private static func receive(_ stream: StreamSocket) -> NFS4Status? {
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
            let result: NFS4Status?? = unsafe room.withUnsafeMutableBytes { memory in
                switch unsafe RecordMarking.next(unsafely: memory, 0, filled, limit: 4000) {
                case .incomplete: return nil
                case .record(let body, _):
                    let record = unsafe UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: memory[body]))
                    return .some(NFS4Callback.status(of: unsafe RawSpan(_unsafeBytes: record)))
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
