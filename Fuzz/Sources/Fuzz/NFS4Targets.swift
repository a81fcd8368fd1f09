import NFS4
import NetworkTypes
import XDR

/// The arguments of the operation that the first byte names decode or are refused, and nothing behind them is read.
func fuzzNFS4Arguments(_ bytes: Span<UInt8>) {
    guard bytes.count > 1 else { return }
    let minor = UInt32(bytes[0] >> 6) % 3
    let arguments = unsafe bytes.bytes.extracting(1..<bytes.count)
    var reader = XDRReader(arguments)
    switch bytes[0] & 0x3f {
    case 0:
        guard let handle = try? NFS4FileHandle(decoding: &reader) else { return }
        precondition(handle.count <= NFS4FileHandle.ownLimit && handle.bytes.count == handle.count, "a long handle")
    case 1:
        guard let bitmap = try? NFS4Bitmap(decoding: &reader) else { return }
        let again = encoded { bitmap.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS4Bitmap(decoding: &second)) == bitmap, "a bitmap is not stable")
    case 2:
        let start = reader.offset
        do {
            let new = try NFS4NewAttributes(decoding: &reader, minor: minor)
            precondition(new.bitmap.subtracting(.settable).isEmpty, "sets what cannot be set")
        } catch let refused as NFS4NewAttributes.Refused {
            precondition(refused.end >= start && refused.end <= arguments.byteCount, "ends outside")
        } catch {}
    case 3: _ = try? NFS4OpenCall(decoding: &reader, minor: minor)
    case 4: _ = try? NFS4LockCall(decoding: &reader)
    case 5: _ = try? NFS4ExchangeCall(decoding: &reader)
    case 6: _ = try? NFS4CreateSessionCall(decoding: &reader)
    case 7: _ = try? NFS4SequenceCall(decoding: &reader)
    case 8: _ = NFS4Callback.status(of: arguments)
    case 9:
        guard let held = NFS4Callback.attributes(of: arguments) else { return }
        precondition(NFS4Callback.status(of: arguments) == .ok, "an answer of a call that failed")
        let again = encoded { held.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS4HeldAttributes(decoding: &second)) == held, "an answer is not stable")
    default:
        guard let stateid = try? NFS4Stateid(decoding: &reader) else { return }
        let again = encoded { stateid.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS4Stateid(decoding: &second)) == stateid, "a stateid is not stable")
    }
    precondition(reader.offset <= arguments.byteCount, "read past the end")
}

private func encoded(_ body: (inout XDRWriter) -> Void) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 4096)
    return unsafe memory.withUnsafeMutableBytes { buffer in
        var writer = unsafe XDRWriter(unsafely: buffer)
        body(&writer)
        return unsafe Array(buffer.prefix(writer.count))
    }
}

/// Whatever three clients of both kinds do in whatever order: the state stays within its limits, no two write locks of
/// different owners overlap, reservations hold, and with the last client everything is gone.
func fuzzNFS4State(_ bytes: Span<UInt8>) {
    var limits = NFS4Limits()
    limits.clients = 4
    limits.clientsPerAddress = 3
    // Room for two sessions of an address.
    limits.keptReplies = 8000
    limits.states = 16
    limits.ranges = 8
    limits.owners = 4
    limits.waiters = 2
    var run = StateRun(limits)
    for index in 0..<min(bytes.count / 4, 512) {
        run.step(bytes[4 * index], bytes[4 * index + 1], bytes[4 * index + 2], bytes[4 * index + 3])
    }
    run.finish()
}

private struct StateRun {
    var state: NFS4State
    var now: UInt64 = 1000
    let limits: NFS4Limits
    var clients: [UInt64] = []
    var sessions: [NFS4SessionID] = []
    var states: [NFS4Stateid] = []
    var recalls: [NFS4Recall] = []
    var inquiries: [NFS4Inquiry] = []
    var sequence: UInt32 = 0

    init(_ limits: NFS4Limits) {
        self.limits = limits
        state = NFS4State(epoch: 3, limits: limits, recorded: [[1, 0]], now: 1000)
    }

    private static let principal = NFS4Principal(flavor: 1, user: 0)

    private func pick<T>(_ list: [T], _ byte: UInt8) -> T? { list.isEmpty ? nil : list[Int(byte) % list.count] }

    mutating func step(_ what: UInt8, _ a: UInt8, _ b: UInt8, _ c: UInt8) {
        let client = pick(clients, a) ?? 7
        let owner = [b & 3]
        let file = NFS4FileKey(export: 1, file: UInt64(c & 1))
        let stateid = pick(states, b) ?? .anonymous
        switch what % 20 {
        case 0: makeSession(a, b)
        case 1: makeOld(a, b)
        case 2: _ = state.reclaimComplete(client, oneFileSystem: c & 1 == 1)
        case 3:
            var request = NFS4OpenRequest(
                client: client,
                owner: owner,
                file: file,
                access: UInt32(c >> 1 & 3),
                deny: UInt32(c >> 3 & 3)
            )
            guard request.access != 0 else { return }
            request.wish = c >> 5 & 1 == 0 ? .any : c >> 6 & 1 == 0 ? .none : .write
            request.wouldKeepTimes = c >> 7 & 1 == 1
            if case .success(let opened) = state.open(request, now: now) {
                keep(opened.stateid)
                if let grant = opened.delegation { keep(grant.stateid) }
            }
        case 4:
            let request = NFS4LockRequest(
                owner: .new(open: stateid, client: client, name: [a & 1], sequence: UInt32(b)),
                file: file,
                offset: UInt64(c >> 4),
                length: UInt64(c >> 1 & 7),
                isWrite: a & 2 == 0,
                isWaiting: a & 8 == 0,
                client: a & 4 == 0 ? client : nil
            )
            if case .done(let lock) = state.lock(request, now: now) { keep(lock) }
        case 5:
            let outcome = state.unlock(stateid, file, offset: UInt64(c >> 4), length: UInt64(a), client: client)
            if case .done(let lock) = outcome { keep(lock) }
        case 6: _ = state.close(stateid, file, client: a & 1 == 0 ? client : nil, sequence: UInt32(c))
        case 7:
            let result = state.downgrade(stateid, file, access: UInt32(c >> 2), deny: UInt32(a & 7), client: client)
            if case .success(let next) = result { keep(next) }
        case 8: _ = state.access(stateid, file, writes: c & 2 == 0, client: a & 1 == 0 ? client : nil, now: now)
        case 9: _ = state.giveBack(stateid, file, client: client)
        case 10: _ = state.free(stateid, client: client)
        case 11:
            now += UInt64(a) * 1000
            state.tick(now: now)
        case 12: if let session = pick(sessions, a) { _ = state.destroySession(session, connection: UInt64(b & 3)) }
        case 13: _ = state.destroyClient(client)
        case 14: state.connectionEnded(UInt64(a & 3))
        case 15: if let session = pick(sessions, a) { request(session, b, c) }
        case 17:
            switch state.ask(file, for: a & 1 == 0 ? client : nil, now: now) {
            case .asked(let inquiry): precondition(now < inquiry.deadline, "waits for what is over")
            case .held: preconditionFailure("an answer to no question")
            case .own, .recalled: break
            }
        case 18:
            guard let inquiry = pick(inquiries, a) else { return }
            let held = NFS4HeldAttributes(change: UInt64(b), size: UInt64(c))
            if b & 3 != 0 { state.answered(inquiry, c == 0 ? nil : held, now: now) }
            if case .asked(let next) = state.outcome(of: inquiry, for: client, now: now) {
                precondition(now < next.deadline, "waits for what is over")
            }
            let told = state.changeToTell(file, own: UInt64(b), isModified: c & 1 == 0)
            precondition(told >= UInt64(b), "a change goes back")
        case 16: if let recall = pick(recalls, a) { state.recallUnknown(recall) }
        default:
            switch c & 1 == 0
                ? state.beginOpen(client, owner, UInt32(a), now: now) : state.beginTurn(stateid, UInt32(a), now: now)
            {
            case .go(let turn): state.endTurn(turn, UInt32(a), c & 2 == 0 ? .ok : .noEntry, reply: [b])
            default: break
            }
        }
        for action in state.takeActions() {
            switch action {
            case .recall(let recall): recalls = recalls.suffix(8) + [recall]
            case .inquire(let inquiry): inquiries = inquiries.suffix(8) + [inquiry]
            case .record, .erase, .notify, .probe: break
            }
        }
        precondition(state.clientCount <= limits.clients, "too many clients")
        precondition(state.waiterCount <= limits.waiters, "too many wait")
        precondition(state.keptReplies <= limits.keptReplies, "too much is kept")
        precondition(state.stateCount <= limits.clients * (limits.states + limits.owners + 2), "too many states")
    }

    private mutating func keep(_ stateid: NFS4Stateid) { states = states.suffix(15) + [stateid] }

    private mutating func makeSession(_ a: UInt8, _ b: UInt8) {
        let call = NFS4ExchangeCall(verifier: UInt64(b & 1), owner: [a & 3], flags: 0, protection: 0)
        let address = IPv4Address(value: UInt32(b >> 6))
        let known = state.exchangeID(call, principal: Self.principal, from: address, minor: 1, now: now)
        guard case .success(let reply) = known else { return }
        let channel = NFS4ChannelLimits(request: 4096, reply: 4096, cachedReply: 512, operations: 8, slots: 2)
        let create = NFS4CreateSessionCall(
            client: reply.client,
            sequence: reply.sequence,
            flags: UInt32(b & 2),
            fore: channel,
            back: channel,
            program: 1,
            security: NFS4CallbackSecurity()
        )
        let connection = UInt64(a & 3)
        let made = state.createSession(create, principal: Self.principal, connection: connection, minor: 1, now: now)
        guard case .success(let session) = made else { return }
        clients = clients.suffix(5) + [reply.client]
        sessions = sessions.suffix(5) + [session.session]
    }

    private mutating func makeOld(_ a: UInt8, _ b: UInt8) {
        let place = NFS4CallbackPlace(program: 1, network: [], address: [], identifier: 0)
        let outcome = state.setClientID(
            name: [a & 1],
            verifier: UInt64(b & 1),
            principal: Self.principal,
            from: IPv4Address(value: UInt32(b >> 6)),
            callback: place,
            now: now
        )
        guard case .made(let id, let confirmation) = outcome,
            state.confirmClientID(id, confirmation, principal: Self.principal, now: now) == .ok
        else { return }
        clients = clients.suffix(5) + [id]
    }

    private mutating func request(_ session: NFS4SessionID, _ b: UInt8, _ c: UInt8) {
        let call = NFS4SequenceCall(
            session: session,
            sequence: UInt32(b & 7),
            slot: UInt32(c & 3),
            highestSlot: 0,
            keepsReply: true
        )
        let outcome = state.beginRequest(call, connection: 1, length: 64, operations: 2, print: 9, now: now)
        guard case .go = outcome else { return }
        if c & 4 == 0 { state.endRequest(call, reply: c & 8 == 0 ? [1] : nil) } else { state.forgetRequest(call) }
    }

    /// With the last client everything is gone.
    mutating func finish() {
        now += 100_000_000
        state.tick(now: now)
        now += 2000
        state.tick(now: now)
        let isEmpty = state.clientCount == 0 && state.stateCount == 0 && state.keptReplies == 0
        precondition(isEmpty && !state.hasDelegations, "something stays")
    }
}
