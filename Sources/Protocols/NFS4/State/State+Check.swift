extension NFS4State {
    /// The state that a client names (RFC 8881, section 8.2.4); `client` is nil in version 4.0, where a state says whose it is.
    func check(
        _ stateid: NFS4Stateid,
        _ file: NFS4FileKey?,
        of client: UInt64?
    ) -> Result<NFS4Entry, NFS4Status> {
        guard !stateid.isSpecial else { return .failure(.badStateid) }
        guard stateid.epoch == epoch else { return .failure(client == nil ? .staleStateid : .badStateid) }
        guard let entry = entries[stateid.number] else {
            return .failure(client == nil && expired.contains(stateid.number) ? .expired : .badStateid)
        }
        let (sequence, owner, key): (UInt32, NFS4Client, NFS4FileKey)
        switch entry {
        case .open(let open): (sequence, owner, key) = (open.sequence, open.owner.client, open.file.key)
        case .lock(let state): (sequence, owner, key) = (state.sequence, state.owner.client, state.open.file.key)
        case .delegation(let delegation):
            if delegation.isRevoked { return .failure(client == nil ? .expired : .delegRevoked) }
            (sequence, owner, key) = (delegation.sequence, delegation.client, delegation.file.key)
        case .closed: return .failure(.badStateid)
        }
        if let client, client != owner.id { return .failure(.badStateid) }
        if let file, file != key { return .failure(.badStateid) }
        if client != nil, stateid.sequence == 0 { return .success(entry) }
        if stateid.sequence < sequence { return .failure(.oldStateid) }
        return stateid.sequence == sequence ? .success(entry) : .failure(.badStateid)
    }

    /// What a READ, WRITE or SETATTR of a size may use.
    public struct Access: Sendable {
        /// What the server attached to the open; nil without an open.
        public var attachment: (any AnyObject & Sendable)?
        /// Who it is, where that is known.
        public var client: UInt64?
    }

    /// Whether bytes may be read or written with this state (RFC 8881, section 9.1.2); recalls what is in the way.
    public mutating func access(
        _ stateid: NFS4Stateid,
        _ file: NFS4FileKey,
        writes: Bool,
        client: UInt64?,
        now: UInt64
    ) -> Result<Access, NFS4Status> {
        let wanted: UInt32 = writes ? 2 : 1
        if stateid == .anonymous || stateid == .bypass {
            guard let known = files[file] else { return .success(Access(client: client)) }
            if stateid == .anonymous || writes {
                let blocking = known.opens.filter { $0.deny & wanted != 0 }
                if !blocking.isEmpty {
                    _ = removeExpired(blocking.map(\.owner.client))
                    if known.opens.contains(where: { $0.deny & wanted != 0 }) { return .failure(.locked) }
                }
            }
            return recall(file, for: client, writes: writes, now: now)
                ? .failure(.delay) : .success(Access(client: client))
        }
        let result: Access
        switch check(stateid, file, of: client) {
        case .failure(let status): return .failure(status)
        case .success(.open(let open)):
            guard !writes || open.access & 2 != 0 else { return .failure(.openMode) }
            result = Access(attachment: open.attachment, client: open.owner.client.id)
            if client == nil { renew(open.owner.client, now) }
        case .success(.lock(let state)):
            guard !writes || state.open.access & 2 != 0 else { return .failure(.openMode) }
            result = Access(attachment: state.open.attachment, client: state.owner.client.id)
            if client == nil { renew(state.owner.client, now) }
        case .success(.delegation(let delegation)):
            guard !writes || delegation.isWrite else { return .failure(.openMode) }
            result = Access(attachment: delegation.attachment, client: delegation.client.id)
            if client == nil { renew(delegation.client, now) }
        case .success(.closed): return .failure(.badStateid)
        }
        if delegationCount > 0, recall(file, for: result.client, writes: writes, now: now) { return .failure(.delay) }
        return .success(result)
    }

    /// TEST_STATEID (RFC 8881, section 18.48).
    public func test(_ stateid: NFS4Stateid, client: UInt64) -> NFS4Status {
        switch check(stateid, nil, of: client) {
        case .success: .ok
        case .failure(let status): status
        }
    }

    /// FREE_STATEID (RFC 8881, section 18.38).
    public mutating func free(_ stateid: NFS4Stateid, client: UInt64) -> NFS4Status {
        if !stateid.isSpecial, stateid.epoch == epoch, case .delegation(let delegation) = entries[stateid.number],
            delegation.isRevoked, delegation.client.id == client
        {
            entries[stateid.number] = nil
            delegation.client.states.remove(stateid.number)
            delegation.client.revokedCount -= 1
            return .ok
        }
        switch check(stateid, nil, of: client) {
        case .failure(let status): return status
        case .success(.lock(let state)):
            guard !state.open.file.ranges.contains(where: { $0.state === state }) else { return .locksHeld }
            dropLock(state)
            return .ok
        case .success: return .locksHeld
        }
    }
}

extension NFS4State {
    /// Whose state it is; nil when there is none.
    public func holder(of stateid: NFS4Stateid) -> UInt64? {
        guard case .success(let entry) = check(stateid, nil, of: nil) else { return nil }
        switch entry {
        case .open(let open): return open.owner.client.id
        case .lock(let state): return state.owner.client.id
        case .delegation(let delegation): return delegation.client.id
        case .closed(let owner): return owner.client.id
        }
    }
}
