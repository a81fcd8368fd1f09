import NetworkTypes

/// What the clients of one address take together.
struct NFS4Share {
    var clients: Set<UInt64> = []
    /// How much the sessions of these clients may keep, in bytes.
    var kept = 0
}

/// Room for further clients and sessions: where it is used up, who has the most gives way to who has less.
extension NFS4State {
    /// Makes room for one more client of an address; false when there is none.
    mutating func makeRoom(for address: IPv4Address, now: UInt64) -> Bool {
        let own = shares[address]?.clients ?? []
        if own.count >= limits.clientsPerAddress {
            let ranked = own.compactMap { clients[$0] }.compactMap { client in
                rank(client, now).map { (client: client, rank: $0) }
            }
            .filter { $0.rank < .alive }
            guard let least = ranked.min(by: { ($0.rank, $0.client.renewed) < ($1.rank, $1.client.renewed) }) else {
                return false
            }
            remove(least.client)
        }
        guard clients.count >= limits.clients else { return true }
        return removeLeast(for: address, keeps: nil, needs: 1, now: now) { $0.clients.count }
    }

    /// Fits what a session may keep into what is left of all memory for replies; nil when there is not even room for little.
    ///
    /// Each session gets a small part of what is left at most, so that there is something left for many more.
    mutating func fit(_ wanted: NFS4ChannelLimits, _ client: NFS4Client, now: UInt64) -> NFS4ChannelLimits? {
        var least = wanted
        least.cachedReply = min(wanted.cachedReply, Self.shortReply)
        least.slots = min(wanted.slots, Self.fewSlots)
        let half = limits.keptReplies / 2
        // Who is removed may have kept less than what is needed.
        for _ in 0..<32 where limits.keptReplies - kept < least.kept {
            guard removeLeast(for: client.address, keeps: client, needs: least.kept, now: now, \.kept) else { break }
        }
        let room = min(limits.keptReplies - kept, half - (shares[client.address]?.kept ?? 0))
        guard least.kept <= room else { return nil }
        let part = room / 512
        var result = wanted
        if result.kept > part { result.cachedReply = least.cachedReply }
        if result.kept > part {
            let slots = part / (result.kept / Int(result.slots))
            result.slots = max(UInt32(slots), least.slots)
        }
        return result
    }

    /// Shorter replies than these are not promised, in bytes: Linux needs a few hundred for what must not be done twice.
    private static var shortReply: UInt32 { 1024 }
    /// Fewer requests at the same time than these are not promised.
    private static var fewSlots: UInt32 { 4 }

    /// Removes the client that loses least, of an address that has as much as the newcomer's; false when there is none.
    ///
    /// Who is alive gives way to the clients of an address that has less, and only when it has nothing open, locked or
    /// delegated: it makes itself known again and loses nothing.
    private mutating func removeLeast(
        for address: IPv4Address,
        keeps newcomer: NFS4Client?,
        needs more: Int,
        now: UInt64,
        _ weight: (NFS4Share) -> Int
    ) -> Bool {
        let own = shares[address].map(weight) ?? 0
        let weights = shares.mapValues(weight)
        // Nothing to lose first, then of the greediest address.
        var least: (client: NFS4Client, key: (Int, Int, UInt8, UInt64))?
        for client in clients.values where client !== newcomer {
            guard let weight = weights[client.address], weight > 0, weight >= own, let rank = rank(client, now) else {
                continue
            }
            // Not for a little: two that have nearly the same would take turns.
            guard rank < .alive || weight - weight / 64 > own + more else { continue }
            let key = (rank == .over ? 0 : 1, -weight, rank.rawValue, client.renewed)
            if let known = least, known.key <= key { continue }
            least = (client, key)
        }
        guard let least else { return false }
        remove(least.client)
        return true
    }

    /// What is lost with a client, from little to much; nil when it must stay.
    private func rank(_ client: NFS4Client, _ now: UInt64) -> Rank? {
        let isOver = now > client.renewed + limits.lease
        guard client.states.isEmpty else { return isOver ? .silent : nil }
        if isOver { return .over }
        if !client.isConfirmed { return .unconfirmed }
        if client.mayReclaim { return .reclaiming }
        return client.sessions.isEmpty ? .idle : .alive
    }

    private enum Rank: UInt8, Comparable {
        /// Its lease is over, and it has nothing.
        case over
        /// It has never been confirmed.
        case unconfirmed
        /// It has neither anything open nor a session.
        case idle
        /// Its lease is over, and it has something open that nobody else wanted yet.
        case silent
        /// It has a session, and nothing open.
        case alive
        /// The same, but it may claim what it had before the server was restarted.
        case reclaiming

        static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
    }
}

extension NFS4ChannelLimits {
    /// How much all slots may keep, in bytes.
    var kept: Int { Int(slots) * (Int(cachedReply) + NFS4Session.Slot.overhead) }
}
