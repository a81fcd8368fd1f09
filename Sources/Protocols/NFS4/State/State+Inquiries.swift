/// A question to the holder of a write delegation: what its file is like (CB_GETATTR), and how it is reached.
public struct NFS4Inquiry: Hashable, Sendable {
    /// The holder.
    public var client: UInt64
    /// The delegation.
    public var stateid: NFS4Stateid
    /// Its file.
    public var file: NFS4FileKey
    /// What the client calls the file.
    public var handle: [UInt8]
    /// Whether it keeps the times too.
    public var asksTimes: Bool
    /// Tells it from others.
    public var number: UInt64
    /// Until when the answer is waited for, in milliseconds.
    public var deadline: UInt64

    /// A question of these parts.
    public init(
        client: UInt64,
        stateid: NFS4Stateid,
        file: NFS4FileKey,
        handle: [UInt8],
        asksTimes: Bool,
        number: UInt64,
        deadline: UInt64
    ) {
        self.client = client
        self.stateid = stateid
        self.file = file
        self.handle = handle
        self.asksTimes = asksTimes
        self.number = number
        self.deadline = deadline
    }
}

/// Who knows the size, the change attribute and the times of a file.
public enum NFS4Knowledge: Equatable, Sendable {
    /// The server: nobody else may have changed it.
    case own
    /// The holder of a write delegation, who is being asked.
    case asked(NFS4Inquiry)
    /// The holder, and this is its answer; `given` is the change attribute that it got with the delegation.
    case held(NFS4HeldAttributes, given: UInt64)
    /// The holder, who must give the delegation back first.
    case recalled
}

extension NFS4State {
    /// Who knows what a file is like; asks the holder of a write delegation, or recalls it from one that does not answer.
    ///
    /// `client` is who wants to know; nil when that is not known, then the holder is asked whoever it is. All who want to know
    /// before the answer has come share it.
    public mutating func ask(_ key: NFS4FileKey, for client: UInt64?, now: UInt64) -> NFS4Knowledge {
        guard delegationCount > 0, let delegation = files[key]?.delegations.first(where: \.isWrite),
            delegation.client.id != client
        else { return .own }
        let holder = delegation.client
        if !holder.isCourtesy, !holder.isSilent, delegation.recalled == nil, isReachable(holder) {
            guard let inquiry = delegation.inquiry else {
                let inquiry = NFS4Inquiry(
                    client: holder.id,
                    stateid: stateid(delegation.number, delegation.sequence),
                    file: key,
                    handle: delegation.file.handle,
                    asksTimes: delegation.keepsTimes,
                    number: newNumber(),
                    deadline: now + limits.answer
                )
                delegation.inquiry = inquiry
                actions.append(.inquire(inquiry))
                return .asked(inquiry)
            }
            if now < inquiry.deadline { return .asked(inquiry) }
        }
        giveUp(delegation)
        return recall(key, for: client, writes: false, now: now) ? .recalled : .own
    }

    /// What has become of a question; as `ask` when its delegation is gone.
    ///
    /// To be called when something may have been answered, and at the deadline.
    public mutating func outcome(of inquiry: NFS4Inquiry, for client: UInt64?, now: UInt64) -> NFS4Knowledge {
        guard case .delegation(let delegation) = entries[inquiry.stateid.number], !delegation.isRevoked else {
            return ask(inquiry.file, for: client, now: now)
        }
        if delegation.recalled == nil {
            if let answer = delegation.answer, answer.number >= inquiry.number {
                return .held(answer.attributes, given: delegation.change)
            }
            if delegation.inquiry == inquiry, now < inquiry.deadline { return .asked(inquiry) }
        }
        giveUp(delegation)
        return recall(inquiry.file, for: client, writes: false, now: now) ? .recalled : .own
    }

    /// Whether a question is still waited for.
    public func isAwaited(_ inquiry: NFS4Inquiry) -> Bool {
        guard case .delegation(let delegation) = entries[inquiry.stateid.number] else { return false }
        return delegation.inquiry == inquiry
    }

    /// A holder has answered; nil when what it said is no answer, or when it could not be asked.
    public mutating func answered(_ inquiry: NFS4Inquiry, _ attributes: NFS4HeldAttributes?, now: UInt64) {
        if attributes != nil { heard(inquiry.client) }
        guard case .delegation(let delegation) = entries[inquiry.stateid.number], delegation.inquiry == inquiry else {
            return
        }
        delegation.inquiry = nil
        if let attributes {
            delegation.answer = (inquiry.number, attributes)
        } else {
            _ = recall(inquiry.file, for: nil, writes: false, now: now)
        }
    }

    /// The change attribute to tell of a file with a write delegation, which is `own` at the server.
    ///
    /// Never the same again while its holder changes the file (RFC 8881, section 10.4.3), and never one that was told before
    /// a newer one.
    public mutating func changeToTell(_ key: NFS4FileKey, own: UInt64, isModified: Bool) -> UInt64 {
        guard let delegation = files[key]?.delegations.first(where: \.isWrite) else { return own }
        delegation.told = max(own, isModified ? delegation.told &+ 1 : delegation.told)
        return delegation.told
    }

    /// Whether a state is a delegation whose holder keeps the times (RFC 9754, section 5).
    public func keepsTimes(_ stateid: NFS4Stateid, _ file: NFS4FileKey, client: UInt64?) -> NFS4Status {
        switch check(stateid, file, of: client) {
        case .failure(let status): status
        case .success(.delegation(let delegation)): delegation.keepsTimes ? .ok : .badStateid
        case .success: .badStateid
        }
    }

    /// A client has answered a call: it is asked again.
    public func heard(_ client: UInt64) { clients[client]?.isSilent = false }

    /// Nobody waits for the answer any more; who did not answer one question is not asked others before it is heard of.
    private func giveUp(_ delegation: NFS4Delegation) {
        guard delegation.inquiry != nil else { return }
        delegation.inquiry = nil
        delegation.client.isSilent = true
    }
}
