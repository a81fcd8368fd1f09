extension NFS4State {
    /// What SEQUENCE answers when the request is new.
    public struct SequenceReply: Equatable, Sendable {
        /// The client of the session.
        public var client: UInt64
        /// The highest slot there is.
        public var highestSlot: UInt32
        /// What the client should know (sr_status_flags).
        public var flags: UInt32
        /// Longest reply, in bytes.
        public var replyLimit: UInt32
        /// Longest reply that is kept, in bytes.
        public var cachedLimit: UInt32
        /// Operations in a compound.
        public var operations: UInt32
    }

    /// How a request with a SEQUENCE goes on.
    public enum SequenceOutcome: Equatable, Sendable {
        /// It is new; to be ended with `endRequest`.
        case go(SequenceReply)
        /// It came before, and this was the whole reply behind the RPC head.
        case replay([UInt8])
        /// It is refused.
        case refused(NFS4Status)
    }

    /// SEQUENCE (RFC 8881, section 18.46); `length` and `operations` are those of the whole request, `print` stands for it.
    public mutating func beginRequest(
        _ call: NFS4SequenceCall,
        connection: UInt64,
        length: Int,
        operations: Int,
        print: UInt64,
        now: UInt64
    ) -> SequenceOutcome {
        guard let session = session(call.session) else { return .refused(.badSession) }
        // Without state protection whoever uses a session belongs to it (section 2.10.3.1).
        if !session.connections.contains(connection) {
            if session.connections.count >= limits.connections { session.connections.removeFirst() }
            session.connections.append(connection)
        }
        let client = session.client
        guard call.slot < session.slots.count else { return .refused(.badSlot) }
        let index = Int(call.slot)
        let last = session.slots[index].sequence
        if call.sequence == last {
            let slot = session.slots[index]
            if slot.isBusy { return .refused(.delay) }
            guard call.sequence != 0 || slot.print != 0 else { return .refused(.sequenceMisordered) }
            guard slot.print == print else { return .refused(.sequenceFalseRetry) }
            renew(client, now)
            return slot.isKept ? .replay(slot.reply) : .refused(.retryUncachedRep)
        }
        guard call.sequence == last &+ 1 else { return .refused(.sequenceMisordered) }
        guard !session.slots[index].isBusy else { return .refused(.delay) }
        guard operations <= Int(session.fore.operations) else { return .refused(.tooManyOps) }
        guard length <= Int(session.fore.request) else { return .refused(.reqTooBig) }
        renew(client, now)
        session.slots[index] = NFS4Session.Slot(sequence: call.sequence, isBusy: true, print: print)
        return .go(
            SequenceReply(
                client: client.id,
                highestSlot: UInt32(session.slots.count - 1),
                flags: statusFlags(session),
                replyLimit: session.fore.reply,
                cachedLimit: session.fore.cachedReply,
                operations: session.fore.operations
            )
        )
    }

    private func statusFlags(_ session: NFS4Session) -> UInt32 {
        var flags: UInt32 = 0
        let client = session.client
        if client.delegationCount > 0 {
            // SEQ4_STATUS_CB_PATH_DOWN, _CB_PATH_DOWN_SESSION: only who holds something needs a way back.
            if !client.sessions.contains(where: { sessions[$0]?.backConnections.isEmpty == false }) { flags |= 0x1 }
            if session.backConnections.isEmpty { flags |= 0x200 }
        }
        if session.hasBackFault { flags |= 0x400 }
        // SEQ4_STATUS_RECALLABLE_STATE_REVOKED
        if client.revokedCount > 0 { flags |= 0x40 }
        return flags
    }

    /// A request that `beginRequest` let go is answered; `reply` is nil when it is not to be kept.
    public mutating func endRequest(_ call: NFS4SequenceCall, reply: [UInt8]?) {
        guard let session = session(call.session), call.slot < session.slots.count else { return }
        let index = Int(call.slot)
        guard session.slots[index].sequence == call.sequence else { return }
        session.slots[index].isBusy = false
        // The head of a reply and what LOCK says of others may be longer than was promised.
        let limit = max(Int(session.fore.cachedReply), NFS4Session.Slot.shortReply)
        guard let reply, reply.count <= limit else { return }
        session.slots[index].isKept = true
        session.slots[index].reply = reply
    }

    /// The effects of a request could not be made durable: it may come again as if it had not been there.
    public mutating func forgetRequest(_ call: NFS4SequenceCall) {
        guard let session = session(call.session), call.slot < session.slots.count else { return }
        let index = Int(call.slot)
        guard session.slots[index].sequence == call.sequence else { return }
        session.slots[index] = NFS4Session.Slot(sequence: call.sequence &- 1)
    }

    /// How a call to a client is sent.
    public struct BackCall: Equatable, Sendable {
        /// The session.
        public var session: NFS4SessionID
        /// The connection that carries it.
        public var connection: UInt64
        /// The sequence number in slot 0.
        public var sequence: UInt32
        /// The program.
        public var program: UInt32
        /// The credential.
        public var security: NFS4CallbackSecurity
        /// The minor version.
        public var minor: UInt32

        /// A call of these parts.
        public init(
            session: NFS4SessionID,
            connection: UInt64,
            sequence: UInt32,
            program: UInt32,
            security: NFS4CallbackSecurity,
            minor: UInt32
        ) {
            self.session = session
            self.connection = connection
            self.sequence = sequence
            self.program = program
            self.security = security
            self.minor = minor
        }
    }

    /// What became of the wish to call a client.
    public enum BackTurn: Equatable, Sendable {
        /// Now; to be ended with `endCall`.
        case go(BackCall)
        /// When the call under way is over.
        case busy
        /// There is no way to it.
        case unreachable
    }

    /// Takes the one slot of a client's way back.
    public mutating func beginCall(_ client: UInt64) -> BackTurn {
        guard let client = clients[client] else { return .unreachable }
        var isBusy = false
        for number in client.sessions {
            guard let session = sessions[number], let connection = session.backConnections.last else { continue }
            guard !session.isCalling else {
                isBusy = true
                continue
            }
            session.isCalling = true
            session.backSequence = session.backSequence &+ 1
            return .go(
                BackCall(
                    session: session.id,
                    connection: connection,
                    sequence: session.backSequence,
                    program: session.program,
                    security: session.security,
                    minor: session.minor
                )
            )
        }
        return isBusy ? .busy : .unreachable
    }

    /// A call is over: answered, or lost with its connection.
    public mutating func endCall(_ call: BackCall, wasAnswered: Bool) {
        guard let session = session(call.session) else { return }
        session.isCalling = false
        guard !wasAnswered else {
            session.client.isSilent = false
            return
        }
        session.backConnections.removeAll { $0 == call.connection }
        // The client has not seen it, as far as we know; the same number goes out again.
        session.backSequence = session.backSequence &- 1
    }
}
