/// Who was refused a lock, and waits for it.
struct NFS4LockWaiter {
    let client: UInt64
    let owner: [UInt8]
    let first: UInt64
    let last: UInt64
    let isWrite: Bool
}

/// A lock that may be had now, for the client that waits for it (CB_NOTIFY_LOCK: RFC 8881, section 20.11).
public struct NFS4LockNotice: Equatable, Sendable {
    /// Who waits.
    public var client: UInt64
    /// Its owner of the lock.
    public var owner: [UInt8]
    /// What the client calls the file.
    public var handle: [UInt8]

    /// Such a lock.
    public init(client: UInt64, owner: [UInt8], handle: [UInt8]) {
        self.client = client
        self.owner = owner
        self.handle = handle
    }
}

/// Telling those who wait for locks when they may have them.
///
/// A client that was refused asks again by itself, but seldom: Linux after up to 30 s. Nothing is kept for it until it does, so
/// whoever comes before has it, and who is told too often has asked in vain.
extension NFS4State {
    /// Keeps in mind that an owner waits for bytes of a file; it waits for no others of it.
    mutating func remember(_ owner: NFS4Owner, _ file: NFS4File, _ first: UInt64, _ last: UInt64, isWrite: Bool) {
        forgetWaiter(owner, file)
        guard waiterCount < limits.waiters else { return }
        let waiter = NFS4LockWaiter(
            client: owner.client.id,
            owner: owner.key.bytes,
            first: first,
            last: last,
            isWrite: isWrite
        )
        waiters[file.key, default: []].append(waiter)
        waiterCount += 1
    }

    /// An owner has what it waited for.
    mutating func forgetWaiter(_ owner: NFS4Owner, _ file: NFS4File) {
        guard let all = waiters[file.key] else { return }
        setWaiters(all.filter { $0.client != owner.client.id || $0.owner != owner.key.bytes }, file)
    }

    /// Nobody has the file open any more, so nobody waits.
    mutating func forgetWaiters(_ file: NFS4File) {
        if !waiters.isEmpty { setWaiters([], file) }
    }

    /// Locks of a file were let go: tells those who may have what they wait for.
    mutating func tellWaiters(_ file: NFS4File) {
        guard !waiters.isEmpty, let all = waiters[file.key] else { return }
        let told = all.filter { isFree($0, file) }
        guard !told.isEmpty else { return }
        setWaiters(all.filter { !isFree($0, file) }, file)
        for waiter in told where clients[waiter.client] != nil {
            actions.append(
                .notify(NFS4LockNotice(client: waiter.client, owner: waiter.owner, handle: file.handle))
            )
        }
    }

    /// The lease of a client is over: what it has locked is there for who asks.
    mutating func tellWaiters(of client: NFS4Client) {
        guard !waiters.isEmpty else { return }
        for number in client.states {
            if case .lock(let state) = entries[number] { tellWaiters(state.open.file) }
        }
    }

    private func isFree(_ waiter: NFS4LockWaiter, _ file: NFS4File) -> Bool {
        !file.ranges.contains { range in
            let holder = range.state.owner
            return range.first <= waiter.last && waiter.first <= range.last && (waiter.isWrite || range.isWrite)
                && !holder.client.isCourtesy
                && (holder.client.id != waiter.client || holder.key.bytes != waiter.owner)
        }
    }

    private mutating func setWaiters(_ left: [NFS4LockWaiter], _ file: NFS4File) {
        waiterCount += left.count - (waiters[file.key]?.count ?? 0)
        waiters[file.key] = left.isEmpty ? nil : left
    }
}
