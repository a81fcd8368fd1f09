package import BootModel
package import NetworkTypes

/// Which machine has which address: pure state, changed in memory first and then committed by the caller.
///
/// A machine keeps its address for as long as nobody else needs it, whatever program of it asks: leases belong to
/// the hardware address. An address goes to another machine only when its lease has ended, and then the one that
/// ended first.
package struct LeaseTable: Sendable {
    /// A machine on a network.
    struct Key: Hashable, Sendable {
        var network: NetworkName
        var mac: MACAddress
    }

    /// An address that was offered and not yet asked for; never stored.
    struct Offer: Sendable {
        var mac: MACAddress
        var until: Timestamp
    }

    private(set) var leases: [IPv4Address: Lease] = [:]
    private(set) var addresses: [Key: IPv4Address] = [:]
    private(set) var offers: [IPv4Address: Offer] = [:]
    private(set) var offered: [Key: IPv4Address] = [:]
    private var holds: [MACAddress: Int] = [:]
    /// What the last walks through the pools of a network found out.
    var searches: [NetworkName: PoolSearch] = [:]

    /// For how many seconds an offered address waits for its machine.
    package static let offerSeconds = 60.0
    /// For how many seconds an address stays out of use after a machine said that another one has it.
    package static let declineSeconds = 3600.0

    /// A table with the kept leases.
    package init(restoring leases: [Lease] = []) {
        for lease in leases.sorted(by: { $0.granted < $1.granted }) { insert(lease) }
    }

    private mutating func insert(_ lease: Lease) {
        if let old = leases[lease.address], old.mac != lease.mac {
            let key = Key(network: old.network, mac: old.mac)
            if addresses[key] == lease.address { addresses[key] = nil }
        }
        leases[lease.address] = lease
        let key = Key(network: lease.network, mac: lease.mac)
        if lease.state == .bound {
            addresses[key] = lease.address
        } else if addresses[key] == lease.address {
            addresses[key] = nil
        }
    }

    /// The lease of an address, ended ones included.
    package func lease(of address: IPv4Address) -> Lease? { leases[address] }

    /// The address that a machine has or last had on a network.
    package func address(of mac: MACAddress, on network: NetworkName) -> IPv4Address? {
        addresses[Key(network: network, mac: mac)]
    }

    /// Whether an address may be given to a machine now: it is its own, or nobody's.
    func isAvailable(_ address: IPv4Address, to mac: MACAddress, now: Timestamp) -> Bool {
        if let offer = offers[address], offer.mac != mac, offer.until > now { return false }
        guard let lease = leases[address] else { return true }
        switch lease.state {
        case .declined: return lease.expires <= now
        case .bound: return lease.mac == mac || (lease.expires <= now && holds[lease.mac] == nil)
        }
    }

    /// Whether nobody ever had the address, or it is offered to this machine already.
    func isUnused(_ address: IPv4Address, by mac: MACAddress, now: Timestamp) -> Bool {
        leases[address] == nil && isAvailable(address, to: mac, now: now)
    }

    /// The address this machine was offered a moment ago.
    func pendingOffer(_ mac: MACAddress, on network: NetworkName, now: Timestamp) -> IPv4Address? {
        guard let address = offered[Key(network: network, mac: mac)], let offer = offers[address], offer.mac == mac,
            offer.until > now
        else { return nil }
        return address
    }

    /// Keeps an address for a machine until it asks for it.
    package mutating func offer(_ address: IPv4Address, to mac: MACAddress, on network: NetworkName, now: Timestamp) {
        withdrawOffer(to: mac, on: network)
        if let other = offers[address] { offered[Key(network: network, mac: other.mac)] = nil }
        offers[address] = Offer(mac: mac, until: now.advanced(bySeconds: Self.offerSeconds))
        offered[Key(network: network, mac: mac)] = address
    }

    /// Forgets an offer: the machine chose another server, or has its lease.
    package mutating func withdrawOffer(to mac: MACAddress, on network: NetworkName) {
        guard let address = offered.removeValue(forKey: Key(network: network, mac: mac)) else { return }
        if offers[address]?.mac == mac {
            offers[address] = nil
            searches[network]?.isVain = nil
        }
    }

    /// Gives an address, or renews it; the change must be committed before the machine hears of it.
    ///
    /// The caller has asked whether it is available. A lease the machine had elsewhere on the network ends.
    package mutating func grant(
        _ address: IPv4Address,
        to mac: MACAddress,
        on network: NetworkName,
        seconds: UInt32,
        hostname: String?,
        now: Timestamp
    ) -> [LeaseChange] {
        var changes: [LeaseChange] = []
        withdrawOffer(to: mac, on: network)
        let key = Key(network: network, mac: mac)
        if let old = addresses[key], old != address, leases[old]?.mac == mac {
            leases[old] = nil
            searches[network] = nil
            changes.append(.remove(old))
        }
        let lease = Lease(
            address: address,
            mac: mac,
            network: network,
            granted: now,
            expires: now.advanced(bySeconds: Double(seconds)),
            hostname: hostname
        )
        insert(lease)
        return changes + [.set(lease)]
    }

    /// Ends a machine's lease; it gets the same address again if nobody else took it meanwhile.
    package mutating func release(_ address: IPv4Address, by mac: MACAddress, now: Timestamp) -> [LeaseChange] {
        guard var lease = leases[address], lease.mac == mac, lease.state == .bound, lease.expires > now else {
            return []
        }
        lease.expires = now
        leases[address] = lease
        searches[lease.network] = nil
        return [.set(lease)]
    }

    /// Keeps an address out of use because its machine found another one using it; only the holder can say so.
    package mutating func decline(_ address: IPv4Address, by mac: MACAddress, on network: NetworkName, now: Timestamp)
        -> [LeaseChange]
    {
        let wasOffered = offers[address]?.mac == mac
        guard wasOffered || (leases[address]?.mac == mac && leases[address]?.state == .bound) else { return [] }
        withdrawOffer(to: mac, on: network)
        let lease = Lease(
            address: address,
            mac: mac,
            network: network,
            state: .declined,
            granted: now,
            expires: now.advanced(bySeconds: Self.declineSeconds)
        )
        insert(lease)
        return [.set(lease)]
    }

    /// Keeps a machine's address for it even past the lease's end, because it is connected; `letGo` undoes one call.
    package mutating func hold(_ mac: MACAddress) { holds[mac, default: 0] += 1 }

    func isHeld(_ mac: MACAddress) -> Bool { holds[mac] != nil }

    /// Undoes one `hold`.
    package mutating func letGo(_ mac: MACAddress) {
        guard let count = holds[mac] else { return }
        holds[mac] = count > 1 ? count - 1 : nil
        if count == 1 { searches = [:] }
    }
}
