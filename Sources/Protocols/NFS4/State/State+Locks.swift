/// A LOCK whose file is known.
public struct NFS4LockRequest: Sendable {
    /// Who locks.
    public enum Owner: Sendable {
        /// An owner that has no lock of the file yet, through an open.
        case new(open: NFS4Stateid, client: UInt64, name: [UInt8], sequence: UInt32)
        /// One that has.
        case known(NFS4Stateid)
    }
    /// Who locks.
    public var owner: Owner
    /// The file.
    public var file: NFS4FileKey
    /// The first byte.
    public var offset: UInt64
    /// How many; all ones are all that follow.
    public var length: UInt64
    /// Whether nobody else may lock the same bytes.
    public var isWrite: Bool
    /// Whether its client waits for it, and will ask again.
    public var isWaiting: Bool
    /// Whether it claims what it had before the server's restart.
    public var reclaims: Bool
    /// The client of the session; nil in version 4.0.
    public var client: UInt64?

    /// A lock of bytes of a file.
    public init(
        owner: Owner,
        file: NFS4FileKey,
        offset: UInt64,
        length: UInt64,
        isWrite: Bool,
        isWaiting: Bool = false,
        reclaims: Bool = false,
        client: UInt64? = nil
    ) {
        self.owner = owner
        self.file = file
        self.offset = offset
        self.length = length
        self.isWrite = isWrite
        self.isWaiting = isWaiting
        self.reclaims = reclaims
        self.client = client
    }
}

/// A lock that is in the way (LOCK4denied).
public struct NFS4Conflict: Equatable, Sendable {
    /// The first byte.
    public var offset: UInt64
    /// How many; all ones are all that follow.
    public var length: UInt64
    /// Whether it is a write lock.
    public var isWrite: Bool
    /// Its client.
    public var client: UInt64
    /// Its owner.
    public var owner: [UInt8]
}

/// What LOCK, LOCKT and LOCKU answer.
public enum NFS4LockOutcome: Equatable, Sendable {
    /// Done.
    case done(NFS4Stateid)
    /// Somebody else has it.
    case denied(NFS4Conflict)
    /// Refused.
    case failed(NFS4Status)
}

extension NFS4State {
    /// The last byte of a range; nil when there is no such range.
    static func last(_ offset: UInt64, _ length: UInt64) -> UInt64? {
        guard length != 0 else { return nil }
        guard length != .max else { return .max }
        let (end, overflow) = offset.addingReportingOverflow(length - 1)
        return overflow ? nil : end
    }

    /// LOCK (RFC 8881, section 18.10).
    public mutating func lock(_ request: NFS4LockRequest, now: UInt64) -> NFS4LockOutcome {
        guard let last = Self.last(request.offset, request.length) else { return .failed(.invalid) }
        let (open, owner): (NFS4Open, NFS4Owner)
        let state: NFS4LockState?
        switch request.owner {
        case .known(let stateid):
            switch check(stateid, request.file, of: request.client) {
            case .failure(let status): return .failed(status)
            case .success(.lock(let found)): (open, owner, state) = (found.open, found.owner, found)
            case .success: return .failed(.badStateid)
            }
        case .new(let stateid, let id, let name, let sequence):
            switch check(stateid, request.file, of: request.client) {
            case .failure(let status): return .failed(status)
            case .success(.open(let found)): open = found
            case .success: return .failed(.badStateid)
            }
            let client = open.owner.client
            guard client.hasSessions || client.id == id else { return .failed(.staleClient) }
            guard mayMakeState(client),
                let made = makeOwner(client, NFS4OwnerKey(bytes: name, isLock: true), now: now)
            else { return .failed(.resource) }
            owner = made
            state = open.locks.first { $0.owner === made }
            if state != nil, !client.hasSessions, sequence != made.sequence &+ 1 { return .failed(.badSequence) }
        }
        renew(owner.client, now)
        defer { dropIfUnused(owner) }
        let status = mayOpen(owner.client.id, reclaims: request.reclaims)
        guard status == .ok else { return .failed(status) }
        guard open.access & (request.isWrite ? 2 : 1) != 0 else { return .failed(.openMode) }
        if let conflict = conflict(open.file, owner, request.offset, last, isWrite: request.isWrite) {
            if request.isWaiting, owner.client.hasSessions {
                remember(owner, open.file, request.offset, last, isWrite: request.isWrite)
            }
            return .denied(conflict)
        }
        guard open.file.ranges.count < limits.ranges else { return .failed(.resource) }
        let held = state ?? makeLock(open, owner)
        setRange(open.file, held, request.offset, last, isWrite: request.isWrite)
        forgetWaiter(owner, open.file)
        // A write lock may have become a read lock.
        tellWaiters(open.file)
        held.sequence = Self.next(held.sequence)
        return .done(stateid(held.number, held.sequence))
    }

    private mutating func makeLock(_ open: NFS4Open, _ owner: NFS4Owner) -> NFS4LockState {
        let state = NFS4LockState(newNumber(), owner, open)
        open.locks.append(state)
        owner.states.insert(state.number)
        owner.client.states.insert(state.number)
        entries[state.number] = .lock(state)
        return state
    }

    mutating func dropLock(_ state: NFS4LockState) {
        state.open.file.ranges.removeAll { $0.state === state }
        state.open.locks.removeAll { $0 === state }
        state.owner.states.remove(state.number)
        state.owner.client.states.remove(state.number)
        entries[state.number] = nil
        tellWaiters(state.open.file)
        dropIfUnused(state.owner)
    }

    /// A lock of somebody else in the way; those of clients whose lease is over go away.
    private mutating func conflict(
        _ file: NFS4File,
        _ owner: NFS4Owner?,
        _ first: UInt64,
        _ last: UInt64,
        isWrite: Bool
    ) -> NFS4Conflict? {
        func blocking() -> [NFS4Range] {
            file.ranges.filter {
                $0.first <= last && first <= $0.last && $0.state.owner !== owner && (isWrite || $0.isWrite)
            }
        }
        var others = blocking()
        if !others.isEmpty, removeExpired(others.map(\.state.owner.client)) { others = blocking() }
        guard let found = others.first else { return nil }
        return NFS4Conflict(
            offset: found.first,
            length: found.last == .max ? .max : found.last - found.first + 1,
            isWrite: found.isWrite,
            client: found.state.owner.client.id,
            owner: found.state.owner.key.bytes
        )
    }

    /// Takes bytes away from an owner, and gives them back to it as one lock.
    private func setRange(_ file: NFS4File, _ state: NFS4LockState, _ first: UInt64, _ last: UInt64, isWrite: Bool) {
        cut(file, state.owner, first, last)
        var new = NFS4Range(first: first, last: last, isWrite: isWrite, state: state)
        file.ranges.removeAll { other in
            guard other.state === state, other.isWrite == isWrite else { return false }
            let touches =
                (other.last != .max && other.last + 1 == new.first) || (new.last != .max && new.last + 1 == other.first)
            guard touches else { return false }
            new.first = min(new.first, other.first)
            new.last = max(new.last, other.last)
            return true
        }
        file.ranges.append(new)
    }

    private func cut(_ file: NFS4File, _ owner: NFS4Owner, _ first: UInt64, _ last: UInt64) {
        var result: [NFS4Range] = []
        result.reserveCapacity(file.ranges.count + 1)
        for range in file.ranges {
            guard range.state.owner === owner, range.first <= last, first <= range.last else {
                result.append(range)
                continue
            }
            if range.first < first {
                var before = range
                before.last = first - 1
                result.append(before)
            }
            if range.last > last {
                var behind = range
                behind.first = last + 1
                result.append(behind)
            }
        }
        file.ranges = result
    }

    /// LOCKT (RFC 8881, section 18.11).
    public mutating func testLock(
        client id: UInt64,
        owner: [UInt8],
        file: NFS4FileKey,
        offset: UInt64,
        length: UInt64,
        isWrite: Bool,
        now: UInt64
    ) -> NFS4LockOutcome {
        guard let last = Self.last(offset, length) else { return .failed(.invalid) }
        guard let client = clients[id], client.isConfirmed else { return .failed(.staleClient) }
        renew(client, now)
        guard !isInGrace else { return .failed(.grace) }
        guard let file = files[file] else { return .done(.anonymous) }
        let known = client.owners[NFS4OwnerKey(bytes: owner, isLock: true)]
        if let conflict = conflict(file, known, offset, last, isWrite: isWrite) { return .denied(conflict) }
        return .done(.anonymous)
    }

    /// LOCKU (RFC 8881, section 18.12).
    public mutating func unlock(
        _ stateid: NFS4Stateid,
        _ file: NFS4FileKey,
        offset: UInt64,
        length: UInt64,
        client: UInt64?
    ) -> NFS4LockOutcome {
        guard let last = Self.last(offset, length) else { return .failed(.invalid) }
        switch check(stateid, file, of: client) {
        case .failure(let status): return .failed(status)
        case .success(.lock(let state)):
            guard state.open.file.ranges.count < limits.ranges else { return .failed(.resource) }
            cut(state.open.file, state.owner, offset, last)
            tellWaiters(state.open.file)
            state.sequence = Self.next(state.sequence)
            return .done(self.stateid(state.number, state.sequence))
        case .success: return .failed(.badStateid)
        }
    }
}
