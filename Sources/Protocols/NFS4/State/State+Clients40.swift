public import NetworkTypes

extension NFS4State {
    /// Whether there is a client of that number.
    public func hasClient(_ client: UInt64) -> Bool { clients[client] != nil }

    /// What SETCLIENTID answers.
    public enum SetClientOutcome: Equatable, Sendable {
        /// To be confirmed with this verifier.
        case made(client: UInt64, confirmation: UInt64)
        /// The name belongs to somebody else, who is reached there.
        case inUse(network: [UInt8], address: [UInt8])
        /// Not now.
        case failed(NFS4Status)
    }

    /// SETCLIENTID (RFC 7530, section 16.33.5).
    public mutating func setClientID(
        name: [UInt8],
        verifier: UInt64,
        principal: NFS4Principal,
        from address: IPv4Address,
        callback: NFS4CallbackPlace,
        now: UInt64
    ) -> SetClientOutcome {
        let key = [0] + name
        let confirmation = UInt64(epoch) << 32 | (newNumber() & 0xffff_ffff)
        if let known = confirmed[key] {
            if known.principal != principal, !known.states.isEmpty, now <= known.renewed + limits.lease {
                return .inUse(network: known.callback?.network ?? [], address: known.callback?.address ?? [])
            }
            if known.verifier == verifier, known.principal == principal {
                if let old = unconfirmed[key] { remove(old) }
                known.nextCallback = (confirmation, callback, principal)
                return .made(client: known.id, confirmation: confirmation)
            }
        }
        if let old = unconfirmed[key] { remove(old) }
        let made = makeClient(key, verifier: verifier, principal, from: address, hasSessions: false, now: now)
        guard let client = made else { return .failed(.resource) }
        client.confirmation = confirmation
        client.callback = callback
        unconfirmed[key] = client
        return .made(client: client.id, confirmation: confirmation)
    }

    /// SETCLIENTID_CONFIRM (RFC 7530, section 16.34.5).
    public mutating func confirmClientID(
        _ id: UInt64,
        _ confirmation: UInt64,
        principal: NFS4Principal,
        now: UInt64
    ) -> NFS4Status {
        guard let client = clients[id], !client.hasSessions else { return .staleClient }
        if let next = client.nextCallback, next.confirmation == confirmation {
            guard next.principal == principal else { return .clientInUse }
            client.confirmation = confirmation
            client.nextCallback = nil
            renew(client, now)
            if client.callback != next.place || !client.isReachable {
                client.callback = next.place
                client.isReachable = false
                actions.append(.probe(client: id, next.place))
            }
            return .ok
        }
        guard client.confirmation == confirmation else { return .staleClient }
        guard client.principal == principal else { return .clientInUse }
        renew(client, now)
        if !client.isConfirmed {
            confirm(client)
            if let callback = client.callback { actions.append(.probe(client: id, callback)) }
        }
        return .ok
    }

    /// RENEW (RFC 7530, section 16.30).
    public mutating func renew(_ id: UInt64, now: UInt64) -> NFS4Status {
        guard let client = clients[id], client.isConfirmed, !client.hasSessions else {
            // One of this run that is known no more has lost its lease.
            let isOwn = id >> 32 == UInt64(epoch) && id & 0xffff_ffff <= UInt64(lastClient) && clients[id] == nil
            return isOwn ? .expired : .staleClient
        }
        renew(client, now)
        return client.delegationCount > 0 && !client.isReachable ? .callbackPathDown : .ok
    }

    /// What a probe or a call to a client of version 4.0 has shown.
    public mutating func callbackPath(of id: UInt64, _ place: NFS4CallbackPlace, works: Bool) {
        guard let client = clients[id], client.callback == place else { return }
        client.isReachable = works
        if works { client.isSilent = false }
    }

    /// Where a client of version 4.0 listens; nil when it is gone or has sessions.
    public func callbackPlace(of id: UInt64) -> NFS4CallbackPlace? { clients[id]?.callback }

    // MARK: Numbered operations of owners

    /// How an operation of an owner goes on.
    public enum Turn: Equatable, Sendable {
        /// It is new; to be ended with `endTurn`.
        case go(owner: UInt64)
        /// It came before, and this was the answer.
        case replay([UInt8])
        /// It is refused.
        case refused(NFS4Status)
    }

    /// An OPEN of version 4.0 begins.
    public mutating func beginOpen(_ client: UInt64, _ name: [UInt8], _ sequence: UInt32, now: UInt64) -> Turn {
        guard let client = clients[client], client.isConfirmed, !client.hasSessions else {
            return .refused(.staleClient)
        }
        renew(client, now)
        let key = NFS4OwnerKey(bytes: name, isLock: false)
        let isNew = client.owners[key] == nil
        guard let owner = makeOwner(client, key, now: now) else { return .refused(.resource) }
        if !isNew, owner.isConfirmed { return turn(owner, sequence, now) }
        if !isNew, let reply = owner.reply, owner.sequence == sequence { return .replay(reply) }
        // An owner that was never confirmed begins anew.
        for number in owner.states.sorted() { drop(number) }
        owner.isConfirmed = false
        owner.sequence = sequence &- 1
        owner.reply = nil
        return turn(owner, sequence, now)
    }

    /// CLOSE, OPEN_CONFIRM, OPEN_DOWNGRADE, LOCK or LOCKU of version 4.0 begins.
    public mutating func beginTurn(_ stateid: NFS4Stateid, _ sequence: UInt32, now: UInt64) -> Turn {
        guard !stateid.isSpecial else { return .refused(.badStateid) }
        guard stateid.epoch == epoch else { return .refused(.staleStateid) }
        let owner: NFS4Owner
        switch entries[stateid.number] {
        case .open(let open): owner = open.owner
        case .lock(let state): owner = state.owner
        case .closed(let closer): owner = closer
        case .delegation: return .refused(.badStateid)
        case nil: return .refused(expired.contains(stateid.number) ? .expired : .badStateid)
        }
        renew(owner.client, now)
        return turn(owner, sequence, now)
    }

    private func turn(_ owner: NFS4Owner, _ sequence: UInt32, _ now: UInt64) -> Turn {
        owner.used = now
        if owner.isBusy { return .refused(.resource) }
        if sequence == owner.sequence, let reply = owner.reply { return .replay(reply) }
        guard sequence == owner.sequence &+ 1 else { return .refused(.badSequence) }
        owner.isBusy = true
        return .go(owner: owner.number)
    }

    /// An operation that `beginOpen` or `beginTurn` let go is done.
    public mutating func endTurn(_ number: UInt64, _ sequence: UInt32, _ status: NFS4Status, reply: [UInt8]) {
        guard let owner = owners[number] else { return }
        owner.isBusy = false
        // One whose first OPEN was refused has nothing to repeat: who may open nothing leaves nothing.
        if status != .ok, !owner.isConfirmed, owner.states.isEmpty, owner.closed == nil, !owner.key.isLock {
            owners[number] = nil
            owner.client.owners[owner.key] = nil
            return
        }
        switch status {
        // These and no others leave the number as it was (RFC 7530, section 9.1.7).
        case .staleClient, .staleStateid, .badStateid, .badSequence, .badXDR, .resource, .noHandle, .moved:
            return
        default: break
        }
        owner.sequence = sequence
        owner.reply = reply
        guard let closed = owner.closed, case .closed = entries[closed] else { return }
        // Kept by the CLOSE itself, dropped by what follows it.
        if owner.closedAt == sequence { return }
        entries[closed] = nil
        owner.closed = nil
    }

    /// A LOCK of version 4.0 with a new lock owner has the number that the owner begins with.
    public mutating func setLockSequence(_ stateid: NFS4Stateid, _ sequence: UInt32, reply: [UInt8]) {
        guard case .lock(let state) = entries[stateid.number] else { return }
        state.owner.sequence = sequence
        state.owner.reply = reply
    }

    /// OPEN_CONFIRM (RFC 7530, section 16.18).
    public mutating func confirmOpen(_ stateid: NFS4Stateid, _ file: NFS4FileKey) -> Result<NFS4Stateid, NFS4Status> {
        switch check(stateid, file, of: nil) {
        case .failure(let status): return .failure(status)
        case .success(.open(let open)):
            guard !open.owner.isConfirmed else { return .failure(.badStateid) }
            open.owner.isConfirmed = true
            open.sequence = Self.next(open.sequence)
            return .success(self.stateid(open.number, open.sequence))
        case .success: return .failure(.badStateid)
        }
    }

    /// RELEASE_LOCKOWNER (RFC 7530, section 16.37).
    public mutating func releaseLockOwner(_ client: UInt64, _ name: [UInt8], now: UInt64) -> NFS4Status {
        guard let client = clients[client], client.isConfirmed, !client.hasSessions else { return .staleClient }
        renew(client, now)
        guard let owner = client.owners[NFS4OwnerKey(bytes: name, isLock: true)] else { return .ok }
        for number in owner.states {
            guard case .lock(let state) = entries[number] else { continue }
            if state.open.file.ranges.contains(where: { $0.state === state }) { return .locksHeld }
        }
        for number in owner.states.sorted() { drop(number) }
        owners[owner.number] = nil
        client.owners[owner.key] = nil
        return .ok
    }
}
