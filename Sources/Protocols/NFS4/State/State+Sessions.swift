public import NetworkTypes

/// One session: its slots, and the connections that belong to it.
final class NFS4Session {
    struct Slot {
        var sequence: UInt32 = 0
        var isBusy = false
        /// Whether `reply` is to be kept; without it a repeated request is refused.
        var isKept = false
        var reply: [UInt8] = []
        /// Of the request, to find out that another one comes with the same number.
        var print: UInt64 = 0

        /// Replies up to this length are kept whether the client asks for it or not, in bytes: that of SEQUENCE alone.
        static let shortReply = 256
        /// What a slot takes beside a reply that the client asked to be kept, or with a short one instead, in bytes.
        static let overhead = 384
    }

    let id: NFS4SessionID
    let client: NFS4Client
    let fore: NFS4ChannelLimits
    var slots: [Slot]
    var connections: [UInt64] = []
    var backConnections: [UInt64] = []
    var program: UInt32
    var security: NFS4CallbackSecurity
    var backLimits: NFS4ChannelLimits
    var backSequence: UInt32 = 0
    /// Whether a call to the client is under way.
    var isCalling = false
    var hasBackFault = false
    /// The minor version that the client speaks.
    let minor: UInt32

    init(
        _ id: NFS4SessionID,
        _ client: NFS4Client,
        _ reply: NFS4CreateSessionReply,
        _ call: NFS4CreateSessionCall,
        minor: UInt32
    ) {
        self.id = id
        self.client = client
        fore = reply.fore
        slots = Array(repeating: Slot(), count: Int(reply.fore.slots))
        program = call.program
        security = call.security
        self.minor = minor
        backLimits = reply.back
    }
}

extension NFS4State {
    /// What EXCHANGE_ID answers.
    public struct ExchangeReply: Equatable, Sendable {
        /// The client's number.
        public var client: UInt64
        /// With which CREATE_SESSION must come.
        public var sequence: UInt32
        /// Whether it was confirmed before.
        public var isConfirmed: Bool
    }

    /// EXCHANGE_ID (RFC 8881, section 18.35.4).
    public mutating func exchangeID(
        _ call: NFS4ExchangeCall,
        principal: NFS4Principal,
        from address: IPv4Address,
        minor: UInt32,
        now: UInt64
    ) -> Result<ExchangeReply, NFS4Status> {
        let flags = NFS4ExchangeCall.known | (minor > 1 ? NFS4ExchangeCall.fencing : 0)
        guard call.flags & ~flags == 0 else { return .failure(.invalid) }
        let key = [1] + call.owner
        let known = confirmed[key]
        if call.flags & NFS4ExchangeCall.update != 0 {
            guard let known else { return .failure(.noEntry) }
            guard known.verifier == call.verifier else { return .failure(.notSame) }
            guard known.principal == principal else { return .failure(.notOwner) }
            return .success(ExchangeReply(client: known.id, sequence: known.createSequence &+ 1, isConfirmed: true))
        }
        if let known {
            if known.principal == principal, known.verifier == call.verifier {
                renew(known, now)
                return .success(ExchangeReply(client: known.id, sequence: known.createSequence &+ 1, isConfirmed: true))
            }
            if known.principal != principal {
                let isAlive = now <= known.renewed + limits.lease && !(known.states.isEmpty && known.sessions.isEmpty)
                if isAlive { return .failure(.clientInUse) }
                remove(known)
            }
        }
        if let old = unconfirmed[key] { remove(old) }
        let made = makeClient(key, verifier: call.verifier, principal, from: address, hasSessions: true, now: now)
        guard let client = made else { return .failure(.delay) }
        unconfirmed[key] = client
        return .success(ExchangeReply(client: client.id, sequence: client.createSequence &+ 1, isConfirmed: false))
    }

    /// CREATE_SESSION (RFC 8881, section 18.36.4).
    public mutating func createSession(
        _ call: NFS4CreateSessionCall,
        principal: NFS4Principal,
        connection: UInt64,
        minor: UInt32,
        now: UInt64
    ) -> Result<NFS4CreateSessionReply, NFS4Status> {
        guard let client = clients[call.client], client.hasSessions else { return .failure(.staleClient) }
        if call.sequence == client.createSequence, let reply = client.createReply { return .success(reply) }
        guard call.sequence == client.createSequence &+ 1 else { return .failure(.sequenceMisordered) }
        guard client.isConfirmed || client.principal == principal else { return .failure(.clientInUse) }
        guard call.flags & ~7 == 0 else { return .failure(.invalid) }
        guard let wanted = granted(call.fore), let back = grantedBack(call.back) else { return .failure(.tooSmall) }
        guard client.sessions.count < limits.sessions else { return .failure(.noSpace) }
        renew(client, now)
        guard let fore = fit(wanted, client, now: now) else { return .failure(.delay) }
        if !client.isConfirmed { confirm(client) }
        // Whoever names a session may use and end it (section 2.10.3.1), so that nobody may guess one.
        var number = UInt64.random(in: 1...UInt64.max)
        while sessions[number] != nil { number = .random(in: 1...UInt64.max) }
        let id = NFS4SessionID(client: client.id, number: number)
        let reply = NFS4CreateSessionReply(
            session: id,
            sequence: call.sequence,
            flags: call.flags & 2,
            fore: fore,
            back: back
        )
        let session = NFS4Session(id, client, reply, call, minor: minor)
        session.connections = [connection]
        if call.flags & 2 != 0 { session.backConnections = [connection] }
        sessions[id.number] = session
        kept += fore.kept
        shares[client.address]?.kept += fore.kept
        client.sessions.insert(id.number)
        client.createSequence = call.sequence
        client.createReply = reply
        return .success(reply)
    }

    private func granted(_ asked: NFS4ChannelLimits) -> NFS4ChannelLimits? {
        // Less than this carries no compound that does anything.
        guard asked.request >= 256, asked.reply >= 256, asked.operations >= 2, asked.slots >= 1 else { return nil }
        var result = asked
        result.headerPadding = 0
        result.request = min(asked.request, limits.request)
        result.reply = min(asked.reply, limits.reply)
        result.cachedReply = min(asked.cachedReply, limits.cachedReply)
        result.operations = min(asked.operations, UInt32(NFS4.operationLimit))
        result.slots = min(asked.slots, UInt32(limits.slots))
        return result
    }

    private func grantedBack(_ asked: NFS4ChannelLimits) -> NFS4ChannelLimits? {
        guard asked.request >= 256, asked.reply >= 128, asked.operations >= 2, asked.slots >= 1 else { return nil }
        var result = asked
        result.headerPadding = 0
        result.request = min(asked.request, 4096)
        result.reply = min(asked.reply, 4096)
        result.cachedReply = 0
        result.operations = min(asked.operations, 16)
        result.slots = 1
        return result
    }

    func session(_ id: NFS4SessionID) -> NFS4Session? {
        guard let session = sessions[id.number], session.id == id else { return nil }
        return session
    }

    /// DESTROY_SESSION (RFC 8881, section 18.37).
    public mutating func destroySession(_ id: NFS4SessionID, connection: UInt64) -> NFS4Status {
        guard let session = session(id) else { return .badSession }
        guard session.connections.contains(connection) || session.connections.isEmpty else {
            return .connNotBoundToSession
        }
        if session.client.createReply?.session == id { session.client.createReply = nil }
        dropSession(id.number)
        return .ok
    }

    /// Forgets a session, and what it keeps.
    mutating func dropSession(_ number: UInt64) {
        guard let session = sessions.removeValue(forKey: number) else { return }
        session.client.sessions.remove(number)
        kept -= session.fore.kept
        shares[session.client.address]?.kept -= session.fore.kept
    }

    /// BIND_CONN_TO_SESSION (RFC 8881, section 18.34): which directions the connection serves from now on.
    public mutating func bind(
        _ connection: UInt64,
        to id: NFS4SessionID,
        direction: UInt32,
        now: UInt64
    ) -> Result<UInt32, NFS4Status> {
        guard let session = session(id) else { return .failure(.badSession) }
        guard [1, 2, 3, 7].contains(direction) else { return .failure(.invalid) }
        renew(session.client, now)
        remember(connection, &session.connections)
        guard direction != 1 else { return .success(1) }
        remember(connection, &session.backConnections)
        session.hasBackFault = false
        return .success(3)
    }

    private func remember(_ connection: UInt64, _ list: inout [UInt64]) {
        guard !list.contains(connection) else { return }
        if list.count >= limits.connections { list.removeFirst() }
        list.append(connection)
    }

    /// A connection is over.
    public mutating func connectionEnded(_ connection: UInt64) {
        for session in sessions.values {
            session.connections.removeAll { $0 == connection }
            session.backConnections.removeAll { $0 == connection }
        }
    }

    /// BACKCHANNEL_CTL (RFC 8881, section 18.33).
    public mutating func setBackchannel(
        _ id: NFS4SessionID,
        program: UInt32,
        security: NFS4CallbackSecurity
    ) -> NFS4Status {
        guard let session = session(id) else { return .badSession }
        session.program = program
        session.security = security
        return .ok
    }

    /// DESTROY_CLIENTID (RFC 8881, section 18.50).
    public mutating func destroyClient(_ id: UInt64) -> NFS4Status {
        guard let client = clients[id], client.hasSessions else { return .staleClient }
        guard client.sessions.isEmpty, client.states.isEmpty else { return .clientBusy }
        remove(client)
        return .ok
    }

    /// RECLAIM_COMPLETE (RFC 8881, section 18.51).
    public mutating func reclaimComplete(_ id: UInt64, oneFileSystem: Bool) -> NFS4Status {
        guard let client = clients[id] else { return .staleClient }
        guard !oneFileSystem else { return .ok }
        guard !client.isReclaimComplete else { return .completeAlready }
        client.isReclaimComplete = true
        client.mayReclaim = false
        if awaited.remove(client.owner) != nil, awaited.isEmpty, isInGrace { endGrace() }
        return .ok
    }
}
