extension NFS4State {
    /// Recalls what others were promised about a file; true when somebody must give something back first.
    ///
    /// `client` is who wants to read, write or change it; nil when that is not known, then everybody is asked.
    public mutating func recall(
        _ key: NFS4FileKey,
        for client: UInt64?,
        writes: Bool,
        truncates: Bool = false,
        now: UInt64
    ) -> Bool {
        guard delegationCount > 0, let file = files[key], !file.delegations.isEmpty else { return false }
        var mustWait = false
        for delegation in file.delegations where delegation.client.id != client && (writes || delegation.isWrite) {
            if delegation.client.isCourtesy {
                remove(delegation.client)
                continue
            }
            mustWait = true
            keepQuiet(key, now)
            guard delegation.recalled == nil else { continue }
            delegation.recalled = now
            actions.append(
                .recall(
                    NFS4Recall(
                        client: delegation.client.id,
                        stateid: stateid(delegation.number, delegation.sequence),
                        file: key,
                        handle: file.handle,
                        truncates: truncates
                    )
                )
            )
        }
        return mustWait
    }

    /// Who waits for a file tries again only now and then (Linux after 15 s at most): until he has had his turn nobody gets a
    /// delegation of it, or readers who come back meanwhile would keep him out for ever.
    private mutating func keepQuiet(_ key: NFS4FileKey, _ now: UInt64) {
        guard quiet.count < limits.delegations || quiet[key] != nil else { return }
        quiet[key] = now + 20_000
    }

    /// A recall did not reach its client: it is tried again with the next one who waits.
    public mutating func recallFailed(_ recall: NFS4Recall) {
        guard case .delegation(let delegation) = entries[recall.stateid.number], !delegation.isRevoked else { return }
        // Without a way to its holder the delegation goes when the lease has passed since the first try.
        if let client = clients[recall.client], !client.hasSessions { client.isReachable = false }
    }

    /// The holder does not know the delegation (any more): it is gone.
    public mutating func recallUnknown(_ recall: NFS4Recall) {
        guard case .delegation(let delegation) = entries[recall.stateid.number], !delegation.isRevoked else { return }
        dropDelegation(delegation)
    }

    /// Whether a recall is still waited for.
    public func isOutstanding(_ recall: NFS4Recall) -> Bool {
        guard case .delegation(let delegation) = entries[recall.stateid.number] else { return false }
        return !delegation.isRevoked
    }

    /// Gives a delegation with an open where that is safe and of use (RFC 8881, section 10.4).
    mutating func delegate(
        _ open: NFS4Open,
        _ request: NFS4OpenRequest,
        _ now: UInt64
    ) -> Result<NFS4Grant, NFS4NoDelegation> {
        let (client, file) = (open.owner.client, open.file)
        let isReclaimed = request.reclaims && request.reclaimedDelegation != 0
        switch request.wish {
        case .none: return .failure(.notWanted)
        case .cancel: return .failure(.cancelled)
        case .any, .read, .write: break
        }
        guard request.mayDelegate, !request.ownsDelegation, limits.givesDelegations, open.owner.isConfirmed else {
            return .failure(.resource)
        }
        if !isReclaimed {
            guard !request.reclaims, !isInGrace, now >= quiet[file.key] ?? 0 else { return .failure(.contention) }
            guard delegationCount < limits.delegations, isReachable(client) else { return .failure(.resource) }
        }
        if let other = file.delegations.first(where: { $0.client === client }) {
            switch (request.wish, other.isWrite) {
            case (.write, false): return .failure(.noUpgrade)
            case (.read, true): return .failure(.noDowngrade)
            default: return .failure(.resource)
            }
        }
        // Who may not write gets nothing to write: it may have no right to.
        let mayWrite = request.access & 2 != 0
        guard isReclaimed || request.wish != .write || mayWrite else { return .failure(.resource) }
        let isWrite = isReclaimed ? request.reclaimedDelegation == 2 : mayWrite && request.wish != .read
        let others = file.opens.filter { $0.owner.client !== client }
        let isFree =
            isWrite
            ? others.isEmpty && file.delegations.isEmpty
            : !others.contains { $0.access & 2 != 0 || $0.deny & 1 != 0 }
                && !file.delegations.contains(where: \.isWrite)
        guard isFree || isReclaimed else { return .failure(.contention) }
        let delegation = NFS4Delegation(
            newNumber(),
            client,
            file,
            isWrite: isWrite,
            keepsTimes: request.wouldKeepTimes,
            change: request.change
        )
        delegation.attachment = open.attachment
        file.delegations.append(delegation)
        client.states.insert(delegation.number)
        client.delegationCount += 1
        delegationCount += 1
        entries[delegation.number] = .delegation(delegation)
        let mustReturn = isReclaimed && !isFree
        if mustReturn { delegation.recalled = now }
        return .success(
            NFS4Grant(
                stateid: stateid(delegation.number, 1),
                isWrite: isWrite,
                isRecalled: mustReturn,
                keepsTimes: delegation.keepsTimes
            )
        )
    }

    func isReachable(_ client: NFS4Client) -> Bool {
        guard client.hasSessions else { return client.isReachable }
        return client.sessions.contains { sessions[$0]?.backConnections.isEmpty == false }
    }

    /// DELEGRETURN (RFC 8881, section 18.6).
    public mutating func giveBack(_ stateid: NFS4Stateid, _ file: NFS4FileKey, client: UInt64?) -> NFS4Status {
        switch check(stateid, file, of: client) {
        case .failure(let status): return status
        case .success(.delegation(let delegation)):
            dropDelegation(delegation)
            return .ok
        case .success: return .badStateid
        }
    }

    /// Whether a state is a delegation of this client, for an OPEN that refers to it.
    public func isDelegation(_ stateid: NFS4Stateid, _ file: NFS4FileKey, client: UInt64) -> NFS4Status {
        switch check(stateid, file, of: clients[client]?.hasSessions == true ? client : nil) {
        case .failure(let status): status
        case .success(.delegation(let delegation)): delegation.client.id == client ? .ok : .badStateid
        case .success: .badStateid
        }
    }

    mutating func dropDelegation(_ delegation: NFS4Delegation) {
        if delegation.isRevoked { delegation.client.revokedCount -= 1 } else { leaveFile(delegation) }
        delegation.client.states.remove(delegation.number)
        entries[delegation.number] = nil
    }

    private mutating func leaveFile(_ delegation: NFS4Delegation) {
        delegation.file.delegations.removeAll { $0 === delegation }
        delegation.client.delegationCount -= 1
        delegationCount -= 1
        dropIfIdle(delegation.file)
    }

    /// Takes a delegation away that was not given back in time; its holder learns of it with its next request.
    mutating func revoke(_ delegation: NFS4Delegation) {
        guard delegation.client.hasSessions else { return dropDelegation(delegation) }
        leaveFile(delegation)
        delegation.isRevoked = true
        delegation.attachment = nil
        delegation.client.revokedCount += 1
    }
}
