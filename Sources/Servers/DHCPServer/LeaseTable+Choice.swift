package import BootModel
package import NetworkTypes

extension LeaseTable {
    /// What a choice depends on besides the table.
    package struct Rules: Sendable {
        /// The network.
        package var network: Network
        /// The address kept for this machine.
        package var reservation: IPv4Address?
        /// Whether another address must not be given from the pools: our own, a router's, another node's.
        package var isExcluded: @Sendable (IPv4Address) -> Bool

        /// Rules from their parts.
        package init(
            network: Network,
            reservation: IPv4Address? = nil,
            isExcluded: @escaping @Sendable (IPv4Address) -> Bool = { _ in false }
        ) {
            self.network = network
            self.reservation = reservation
            self.isExcluded = isExcluded
        }

        func isInPool(_ address: IPv4Address) -> Bool {
            network.subnet.containsHost(address) && network.pools.contains { $0.contains(address) }
                && !isExcluded(address)
        }
    }

    /// Whether a machine may have exactly this address now.
    ///
    /// A connected machine keeps the address it has, whatever was changed meanwhile: without it, it loses its root.
    package func allows(_ address: IPv4Address, for mac: MACAddress, _ rules: Rules, now: Timestamp) -> Bool {
        if isHeld(mac), self.address(of: mac, on: rules.network.name) == address { return true }
        if let reservation = rules.reservation, isAvailable(reservation, to: mac, now: now) {
            return address == reservation
        }
        return rules.isInPool(address) && isAvailable(address, to: mac, now: now)
    }

    /// The address for a machine, one sentence: its reservation, else the one it has or had, else the one it was
    /// offered, else the one it asks for, else the first unused one after a place in the pools that its hardware
    /// address gives, else the one whose lease ended first; nil when all are in use.
    package mutating func choose(for mac: MACAddress, asking: IPv4Address?, _ rules: Rules, now: Timestamp)
        -> IPv4Address?
    {
        if let reservation = rules.reservation, isAvailable(reservation, to: mac, now: now) { return reservation }
        let wishes = [
            address(of: mac, on: rules.network.name), pendingOffer(mac, on: rules.network.name, now: now), asking,
        ]
        for case let wish? in wishes where rules.isInPool(wish) && isAvailable(wish, to: mac, now: now) { return wish }
        return search(for: mac, rules, now: now)
    }

    /// Walks the pools, unless a walk of this second has shown that there is nothing to find.
    ///
    /// A pool that strangers have filled must not cost a walk through all of it for each of their messages.
    private mutating func search(for mac: MACAddress, _ rules: Rules, now: Timestamp) -> IPv4Address? {
        let network = rules.network.name
        var memory = searches.removeValue(forKey: network) ?? PoolSearch()
        defer { searches[network] = memory }
        if memory.holds(memory.isVain, now) { return nil }
        if !memory.holds(memory.isUsedUp, now) {
            if let address = unused(for: mac, rules, now: now) { return address }
            memory.isUsedUp = now
        }
        while let address = memory.ended.popLast() {
            if isEnded(address, for: mac, rules, now: now) { return address }
        }
        memory.ended = ended(for: mac, rules, now: now)
        let address = memory.ended.popLast()
        if address == nil { memory.isVain = now }
        return address
    }

    /// A place that depends on the hardware address alone, so that a machine finds its address again even when the
    /// leases were lost.
    private func unused(for mac: MACAddress, _ rules: Rules, now: Timestamp) -> IPv4Address? {
        let total = rules.network.pools.reduce(0) { $0 + $1.count }
        guard total > 0 else { return nil }
        var start = Int(Self.hash(mac) % UInt64(total))
        for _ in 0..<rules.network.pools.count + 1 {
            // Each turn walks one pool from `start` to its end; the last turn walks the first part of the first pool.
            var skipped = 0
            for pool in rules.network.pools {
                defer { skipped += pool.count }
                guard start < skipped + pool.count, start >= skipped else { continue }
                for offset in start - skipped..<pool.count {
                    let address = IPv4Address(value: pool.first.value + UInt32(offset))
                    if isUnused(address, by: mac, now: now), rules.isInPool(address) { return address }
                }
                start = (skipped + pool.count) % total
                break
            }
        }
        return nil
    }

    private func isEnded(_ address: IPv4Address, for mac: MACAddress, _ rules: Rules, now: Timestamp) -> Bool {
        guard let lease = leases[address], lease.expires <= now else { return false }
        return rules.isInPool(address) && isAvailable(address, to: mac, now: now)
    }

    /// Addresses whose lease has ended, the one that ended first at the end; enough for many choices.
    ///
    /// Leases that end after this walk end later than all of these, so the order stays right.
    private func ended(for mac: MACAddress, _ rules: Rules, now: Timestamp) -> [IPv4Address] {
        let ended = leases.values.filter { isEnded($0.address, for: mac, rules, now: now) }
            .sorted { ($0.expires, $0.address) < ($1.expires, $1.address) }
        return ended.prefix(PoolSearch.listed).map(\.address).reversed()
    }

    /// FNV-1a over the six bytes.
    static func hash(_ mac: MACAddress) -> UInt64 {
        mac.bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

/// What walks through the pools of a network found out, good for a second at most: pools and reservations change too.
struct PoolSearch: Sendable {
    /// How many ended leases one walk lists.
    static let listed = 256
    /// When a walk found no address that nobody ever had.
    var isUsedUp: Timestamp?
    /// When a walk found nothing at all.
    var isVain: Timestamp?
    /// Addresses whose lease had ended, the next one to give last.
    var ended: [IPv4Address] = []

    func holds(_ moment: Timestamp?, _ now: Timestamp) -> Bool {
        moment.map { (0..<1).contains(now.seconds(since: $0)) } ?? false
    }
}
