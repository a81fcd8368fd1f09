/// An OPEN whose file is found.
public struct NFS4OpenRequest: Sendable {
    /// The client.
    public var client: UInt64
    /// Its owner.
    public var owner: [UInt8]
    /// The file.
    public var file: NFS4FileKey
    /// 1: reads; 2: writes.
    public var access: UInt32
    /// What others may not do meanwhile, likewise.
    public var deny: UInt32
    /// Whether it claims what it had before the server's restart.
    public var reclaims = false
    /// Which delegation it had then: 0 none, 1 read, 2 write.
    public var reclaimedDelegation: UInt32 = 0
    /// Whether it opens what it has a delegation for.
    public var ownsDelegation = false
    /// Whether the file may be delegated at all.
    public var mayDelegate = true
    /// Which delegation it would like.
    public var wish = NFS4DelegationWish.any
    /// Whether it would keep the times of what is delegated to it (RFC 9754, section 5).
    public var wouldKeepTimes = false
    /// The change attribute of the file.
    public var change: UInt64 = 0
    /// What the server keeps beside the open.
    public var attachment: (any AnyObject & Sendable)?
    /// What clients call the file.
    public var handle: [UInt8] = []

    /// An OPEN of a file by an owner.
    public init(client: UInt64, owner: [UInt8], file: NFS4FileKey, access: UInt32, deny: UInt32) {
        self.client = client
        self.owner = owner
        self.file = file
        self.access = access
        self.deny = deny
    }
}

/// A delegation that comes with an open.
public struct NFS4Grant: Equatable, Sendable {
    /// Names it.
    public var stateid: NFS4Stateid
    /// Whether its holder may write.
    public var isWrite: Bool
    /// Whether it is to be given back at once.
    public var isRecalled = false
    /// Whether its holder keeps the times of the file.
    public var keepsTimes = false
}

/// A file was opened.
public struct NFS4Opened: Equatable, Sendable {
    /// Names the open.
    public var stateid: NFS4Stateid
    /// Whether OPEN_CONFIRM must follow.
    public var needsConfirmation: Bool
    /// Whether who waits for a lock of the file is told when it may be free.
    public var tellsOfLocks: Bool
    /// The delegation.
    public var delegation: NFS4Grant?
    /// Why there is none.
    public var refusal: NFS4NoDelegation?
}

extension NFS4State {
    /// Whether this client may open at all now (RFC 8881, section 8.4.2); to be asked before a file is made.
    public func mayOpen(_ id: UInt64, reclaims: Bool) -> NFS4Status {
        guard let client = clients[id] else { return .expired }
        if reclaims {
            if client.hasSessions, client.isReclaimComplete { return .noGrace }
            return isInGrace ? client.mayReclaim ? .ok : .reclaimBad : .noGrace
        }
        if isInGrace { return .grace }
        return client.hasSessions && !client.isReclaimComplete ? .grace : .ok
    }

    /// Whether an open would get what it asks for; recalls what is in the way.
    ///
    /// Asked before a file is cut.
    public mutating func prepare(_ request: NFS4OpenRequest, truncates: Bool, now: UInt64) -> NFS4Status {
        guard let client = clients[request.client] else { return .expired }
        guard let file = files[request.file] else { return .ok }
        func blocking() -> [NFS4Open] {
            file.opens.filter {
                // Its own opens too (RFC 8881, section 9.7).
                $0.access & request.deny != 0 || $0.deny & request.access != 0
            }
        }
        let others = blocking()
        if !others.isEmpty {
            _ = removeExpired(others.map(\.owner.client))
            guard blocking().isEmpty else { return .shareDenied }
        }
        let writes = truncates || request.access & 2 != 0 || request.deny & 1 != 0
        guard !recall(request.file, for: client.id, writes: writes, truncates: truncates, now: now) else {
            return .delay
        }
        return .ok
    }

    /// Opens (RFC 8881, section 18.16), after `mayOpen`.
    public mutating func open(_ request: NFS4OpenRequest, now: UInt64) -> Result<NFS4Opened, NFS4Status> {
        let status = prepare(request, truncates: false, now: now)
        guard status == .ok, let client = clients[request.client] else { return .failure(status) }
        let key = NFS4OwnerKey(bytes: request.owner, isLock: false)
        guard mayMakeState(client), let owner = makeOwner(client, key, now: now) else { return .failure(.resource) }
        if client.hasSessions { owner.isConfirmed = true }
        if request.reclaims { owner.isConfirmed = true }
        let file = makeFile(request.file)
        if file.handle.isEmpty { file.handle = request.handle }
        let open: NFS4Open
        if let known = file.opens.first(where: { $0.owner === owner }) {
            open = known
            open.access |= request.access
            open.deny |= request.deny
            open.accessAsked |= 1 << request.access
            open.denyAsked |= 1 << request.deny
        } else {
            open = NFS4Open(newNumber(), owner, file, access: request.access, deny: request.deny)
            file.opens.append(open)
            owner.states.insert(open.number)
            client.states.insert(open.number)
            entries[open.number] = .open(open)
        }
        open.sequence = Self.next(open.sequence)
        if let attachment = request.attachment { open.attachment = attachment }
        var opened = NFS4Opened(
            stateid: stateid(open.number, open.sequence),
            needsConfirmation: !owner.isConfirmed,
            tellsOfLocks: client.hasSessions && isReachable(client),
            delegation: nil
        )
        switch delegate(open, request, now) {
        case .success(let grant): opened.delegation = grant
        case .failure(let why): opened.refusal = why
        }
        return .success(opened)
    }

    /// What is attached to the open of an owner, to be widened by a further OPEN.
    public func attachment(client: UInt64, owner: [UInt8], file: NFS4FileKey) -> (any AnyObject & Sendable)? {
        files[file]?.opens.first { $0.owner.client.id == client && $0.owner.key.bytes == owner }?.attachment
    }

    /// What is attached to any open of a file.
    public func attachment(file: NFS4FileKey) -> (any AnyObject & Sendable)? {
        guard let file = files[file] else { return nil }
        return file.opens.first { $0.attachment != nil }?.attachment
            ?? file.delegations.first { $0.attachment != nil }?.attachment
    }

    /// Whether somebody has the file open.
    public func isOpen(_ file: NFS4FileKey) -> Bool { files[file]?.opens.isEmpty == false }

    /// OPEN_DOWNGRADE (RFC 8881, section 18.18).
    public mutating func downgrade(
        _ stateid: NFS4Stateid,
        _ file: NFS4FileKey,
        access: UInt32,
        deny: UInt32,
        client: UInt64?
    ) -> Result<NFS4Stateid, NFS4Status> {
        switch check(stateid, file, of: client) {
        case .failure(let status): return .failure(status)
        case .success(.open(let open)):
            guard (1...3).contains(access), deny <= 3 else { return .failure(.invalid) }
            guard open.accessAsked & 1 << access != 0, open.denyAsked & 1 << deny != 0 else {
                return .failure(.invalid)
            }
            open.access = access
            open.deny = deny
            // What is not part of the new value was not asked for any more.
            open.accessAsked &= Self.subsets(of: access)
            open.denyAsked &= Self.subsets(of: deny)
            open.sequence = Self.next(open.sequence)
            return .success(self.stateid(open.number, open.sequence))
        case .success: return .failure(.badStateid)
        }
    }

    private static func subsets(of value: UInt32) -> UInt32 {
        var bits: UInt32 = 0
        for other in 0...3 as ClosedRange<UInt32> where other & ~value == 0 { bits |= 1 << other }
        return bits
    }

    /// CLOSE (RFC 8881, section 18.2); `sequence` is the owner's number in version 4.0.
    public mutating func close(
        _ stateid: NFS4Stateid,
        _ file: NFS4FileKey,
        client: UInt64?,
        sequence: UInt32
    ) -> Result<NFS4Stateid, NFS4Status> {
        switch check(stateid, file, of: client) {
        case .failure(let status): return .failure(status)
        case .success(.open(let open)):
            let (owner, number) = (open.owner, open.number)
            close(open)
            guard !owner.client.hasSessions else { return .success(.invalid) }
            if let old = owner.closed { entries[old] = nil }
            owner.closed = number
            owner.closedAt = sequence
            entries[number] = .closed(owner)
            return .success(self.stateid(number, Self.next(stateid.sequence)))
        case .success: return .failure(.badStateid)
        }
    }

    mutating func close(_ open: NFS4Open) {
        for state in open.locks { dropLock(state) }
        open.file.opens.removeAll { $0 === open }
        open.owner.states.remove(open.number)
        open.owner.client.states.remove(open.number)
        entries[open.number] = nil
        dropIfIdle(open.file)
        dropIfUnused(open.owner)
    }
}
