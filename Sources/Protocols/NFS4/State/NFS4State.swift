import NetworkTypes

/// All state of all clients: who they are, their sessions, opens, locks and delegations, and the grace after a restart.
///
/// A value without a clock: `now` is given in milliseconds of a clock that never goes back. What the server must do
/// gathers in `actions`.
public struct NFS4State {
    /// What clients may keep.
    public let limits: NFS4Limits
    /// Tells this run of the server from all others; in every client's number, session and state.
    public let epoch: UInt32
    /// What is to be done, in order; taken with `takeActions`.
    public internal(set) var actions: [NFS4Action] = []

    var clients: [UInt64: NFS4Client] = [:]
    var confirmed: [[UInt8]: NFS4Client] = [:]
    var unconfirmed: [[UInt8]: NFS4Client] = [:]
    var sessions: [UInt64: NFS4Session] = [:]
    /// What each address takes.
    var shares: [IPv4Address: NFS4Share] = [:]
    /// How much all sessions may keep, in bytes.
    var kept = 0
    var entries: [UInt64: NFS4Entry] = [:]
    var files: [NFS4FileKey: NFS4File] = [:]
    var owners: [UInt64: NFS4Owner] = [:]
    /// Who waits for locks of a file.
    var waiters: [NFS4FileKey: [NFS4LockWaiter]] = [:]
    /// How many locks are waited for.
    public internal(set) var waiterCount = 0
    var delegationCount = 0
    /// Files of which no delegation is given before a time, also while nobody has them open.
    var quiet: [NFS4FileKey: UInt64] = [:]
    /// States of version 4.0 that went with their client, so that it can be told so.
    var expired: Set<UInt64> = []
    var lastClient: UInt32 = 0
    var lastNumber: UInt64 = 0
    /// Clients of the run before that have not come back yet.
    var awaited: Set<[UInt8]> = []
    var graceEnd: UInt64?
    var nextTick: UInt64 = 0

    /// The state of a server that starts at `now`; `recorded` are the clients that may reclaim.
    public init(epoch: UInt32, limits: NFS4Limits, recorded: [[UInt8]], now: UInt64) {
        self.epoch = epoch
        self.limits = limits
        awaited = Set(recorded)
        if !awaited.isEmpty { graceEnd = now + limits.lease + limits.lease / 2 }
    }

    /// What is to be done since the last time.
    public mutating func takeActions() -> [NFS4Action] {
        if actions.isEmpty { return [] }
        defer { actions = [] }
        return actions
    }

    /// Whether clients of the run before may still claim what they had.
    public var isInGrace: Bool { graceEnd != nil }
    /// How many clients are confirmed.
    public var clientCount: Int { confirmed.count }
    /// How many opens, locks and delegations there are.
    public var stateCount: Int { entries.count }
    /// How many owners of opens and locks are known.
    public var ownerCount: Int { owners.count }
    /// How much the slots of all sessions may keep, in bytes.
    public var keptReplies: Int { kept }
    /// Whether somebody holds a delegation.
    public var hasDelegations: Bool { delegationCount > 0 }

    mutating func newNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    func stateid(_ number: UInt64, _ sequence: UInt32) -> NFS4Stateid {
        NFS4Stateid(sequence: sequence, epoch: epoch, number: number)
    }

    /// The next number of a state or slot: never 0 again.
    static func next(_ sequence: UInt32) -> UInt32 { sequence == .max ? 1 : sequence + 1 }

    func file(_ key: NFS4FileKey) -> NFS4File? { files[key] }

    mutating func makeFile(_ key: NFS4FileKey) -> NFS4File {
        if let file = files[key] { return file }
        let file = NFS4File(key)
        files[key] = file
        return file
    }

    mutating func dropIfIdle(_ file: NFS4File) {
        guard file.isIdle else { return }
        files[file.key] = nil
        forgetWaiters(file)
    }

    // MARK: Time

    /// Lets time pass: leases end, the grace ends, owners that are not used are forgotten.
    ///
    /// To be called about every second.
    public mutating func tick(now: UInt64) {
        if let end = graceEnd, now >= end || awaited.isEmpty { endGrace() }
        guard now >= nextTick else { return }
        nextTick = now + 1000
        if !quiet.isEmpty { quiet = quiet.filter { now < $0.value } }
        for client in clients.values {
            revokeUnreturned(client, now)
            guard now > client.renewed + limits.lease else {
                forgetUnusedOwners(client, now)
                continue
            }
            if !client.isConfirmed || client.states.isEmpty {
                // Its sessions are of no use to anybody else either.
                if !client.isConfirmed || now > client.renewed + 2 * limits.lease { remove(client) }
            } else {
                if !client.isCourtesy {
                    client.isCourtesy = true
                    tellWaiters(of: client)
                }
                // A day later nobody waits for it any more.
                if now > client.renewed + limits.lease + 86_400_000 { remove(client) }
            }
        }
    }

    private mutating func revokeUnreturned(_ client: NFS4Client, _ now: UInt64) {
        for number in client.states {
            guard case .delegation(let delegation) = entries[number], let recalled = delegation.recalled,
                now > recalled + limits.lease, !delegation.isRevoked
            else { continue }
            revoke(delegation)
        }
    }

    private mutating func forgetUnusedOwners(_ client: NFS4Client, _ now: UInt64) {
        guard !client.hasSessions else { return }
        for (key, owner) in client.owners
        where owner.states.isEmpty && !owner.isBusy && now > owner.used + limits.lease {
            if let closed = owner.closed { entries[closed] = nil }
            owners[owner.number] = nil
            client.owners[key] = nil
        }
    }

    mutating func endGrace() {
        graceEnd = nil
        for owner in awaited.sorted(by: { $0.lexicographicallyPrecedes($1) }) where confirmed[owner] == nil {
            actions.append(.erase(owner))
        }
        awaited = []
        for client in clients.values { client.mayReclaim = false }
    }

    // MARK: Clients

    mutating func makeClient(
        _ owner: [UInt8],
        verifier: UInt64,
        _ principal: NFS4Principal,
        from address: IPv4Address,
        hasSessions: Bool,
        now: UInt64
    ) -> NFS4Client? {
        guard makeRoom(for: address, now: now) else { return nil }
        // Asked often enough it begins again.
        repeat { lastClient &+= 1 } while clients[UInt64(epoch) << 32 | UInt64(lastClient)] != nil
        let id = UInt64(epoch) << 32 | UInt64(lastClient)
        let client = NFS4Client(
            id: id,
            owner: owner,
            verifier: verifier,
            principal: principal,
            address: address,
            hasSessions: hasSessions,
            now: now
        )
        clients[id] = client
        shares[address, default: NFS4Share()].clients.insert(id)
        return client
    }

    mutating func confirm(_ client: NFS4Client) {
        if let old = confirmed[client.owner], old !== client { remove(old, keepsRecord: true) }
        if unconfirmed[client.owner] === client { unconfirmed[client.owner] = nil }
        confirmed[client.owner] = client
        client.isConfirmed = true
        if isInGrace, awaited.contains(client.owner) { client.mayReclaim = true }
        client.isRecorded = true
        actions.append(.record(client.owner))
    }

    /// Forgets a client with all it has.
    mutating func remove(_ client: NFS4Client, keepsRecord: Bool = false) {
        if !client.hasSessions {
            if expired.count > 65536 { expired = [] }
            expired.formUnion(client.states)
        }
        for number in client.states.sorted() { drop(number) }
        for id in client.sessions { dropSession(id) }
        for owner in client.owners.values {
            if let closed = owner.closed { entries[closed] = nil }
            owners[owner.number] = nil
        }
        client.owners = [:]
        clients[client.id] = nil
        shares[client.address]?.clients.remove(client.id)
        if shares[client.address]?.clients.isEmpty == true { shares[client.address] = nil }
        if unconfirmed[client.owner] === client { unconfirmed[client.owner] = nil }
        if confirmed[client.owner] === client { confirmed[client.owner] = nil }
        if client.isRecorded, !keepsRecord { actions.append(.erase(client.owner)) }
    }

    /// Forgets the clients that have nothing open, locked or delegated; for when the server stops.
    ///
    /// After a restart it would hold others up for their sake, with nothing that they could reclaim. Who may still reclaim from the run before stays.
    public mutating func forgetIdleClients() {
        for client in Array(clients.values) where client.states.isEmpty && !client.mayReclaim { remove(client) }
    }

    /// Drops a state whatever it is, without asking anybody.
    mutating func drop(_ number: UInt64) {
        switch entries[number] {
        case .open(let open): close(open)
        case .lock(let state): dropLock(state)
        case .delegation(let delegation): dropDelegation(delegation)
        case .closed, nil: entries[number] = nil
        }
    }

    /// Drops every open, lock and delegation of an export that is over, without asking anybody.
    public mutating func forget(export: UInt64) {
        for file in files.values where file.key.export == export {
            for delegation in file.delegations { dropDelegation(delegation) }
            for open in file.opens { close(open) }
        }
    }

    /// A client is heard of.
    func renew(_ client: NFS4Client, _ now: UInt64) {
        client.renewed = now
        client.isCourtesy = false
    }

    /// Removes clients whose lease is over and who are in the way.
    mutating func removeExpired(_ others: [NFS4Client]) -> Bool {
        var removed = false
        for client in others where client.isCourtesy && clients[client.id] != nil {
            remove(client)
            removed = true
        }
        return removed
    }

    /// Whether a client may have one more open, lock state or delegation.
    func mayMakeState(_ client: NFS4Client) -> Bool {
        let left = limits.allStates - entries.count
        guard client.states.count < limits.states, left > 0 else { return false }
        // When half is taken, an address may take as much as it leaves to all others.
        guard left < limits.allStates / 2, let share = shares[client.address] else { return true }
        return share.clients.reduce(0) { $0 + (clients[$1]?.states.count ?? 0) } < left
    }

    // MARK: Owners

    mutating func makeOwner(_ client: NFS4Client, _ key: NFS4OwnerKey, now: UInt64) -> NFS4Owner? {
        if let owner = client.owners[key] {
            owner.used = now
            return owner
        }
        if client.owners.count >= limits.owners {
            for (key, owner) in client.owners where owner.states.isEmpty && !owner.isBusy {
                if let closed = owner.closed { entries[closed] = nil }
                owners[owner.number] = nil
                client.owners[key] = nil
            }
        }
        guard client.owners.count < limits.owners else { return nil }
        let owner = NFS4Owner(client, key, number: newNumber(), now: now)
        client.owners[key] = owner
        owners[owner.number] = owner
        return owner
    }

    /// Forgets an owner of a session's client as soon as nothing hangs on it.
    mutating func dropIfUnused(_ owner: NFS4Owner) {
        guard owner.states.isEmpty, owner.client.hasSessions else { return }
        owner.client.owners[owner.key] = nil
        owners[owner.number] = nil
    }
}
