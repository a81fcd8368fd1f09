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
    /// How many changes of an address are on their way to the store.
    private var unconfirmed: [IPv4Address: Int] = [:]
    /// What the last walks through the pools of a network found out.
    var searches: [NetworkName: PoolSearch] = [:]

    /// For how many seconds an offered address waits for its machine.
    package static let offerSeconds = 60.0
    /// For how many seconds an address stays out of use after a machine said that another one has it.
    package static let declineSeconds = 3600.0

    /// A table with the kept leases.
    ///
    /// A renewal may have promised more than was written, but never more than `kept`: until then each stays in use.
    package init(restoring leases: [Lease] = []) {
        for var lease in leases.sorted(by: { $0.granted < $1.granted }) {
            lease.expires = lease.kept
            insert(lease)
        }
    }

    /// For how many seconds beyond its end a lease of `seconds` is kept, so that the next renewals need no write: a
    /// machine asks three or four times in one boot.
    static func margin(_ seconds: UInt32) -> Double { max(Double(seconds) / 8, 30) }

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

    /// The leases in force on a network, the one that ends first first.
    func held(on network: NetworkName, now: Timestamp) -> [Lease] {
        leases.values.filter { $0.network == network && $0.expires > now }
            .sorted { ($0.expires, $0.address) < ($1.expires, $1.address) }
    }

    /// Every lease, ended ones included.
    package var all: [Lease] { Array(leases.values) }

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
        let expires = now.advanced(bySeconds: Double(seconds))
        if var lease = leases[address], lease.mac == mac, lease.state == .bound, lease.network == network,
            lease.hostname == hostname, expires <= lease.kept,
            lease.kept <= expires.advanced(bySeconds: 2 * Self.margin(seconds))
        {
            lease.granted = now
            lease.expires = expires
            leases[address] = lease
            // What the store holds covers this promise, unless it is not there yet: then the answer waits for it.
            return unconfirmed[address] == nil ? changes : sent(changes + [.set(lease)])
        }
        let lease = Lease(
            address: address,
            mac: mac,
            network: network,
            granted: now,
            expires: expires,
            kept: expires.advanced(bySeconds: Self.margin(seconds)),
            hostname: hostname
        )
        insert(lease)
        return sent(changes + [.set(lease)])
    }

    /// Notes that these changes are on their way to the store.
    private mutating func sent(_ changes: [LeaseChange]) -> [LeaseChange] {
        for change in changes { unconfirmed[change.address, default: 0] += 1 }
        return changes
    }

    /// The store has taken these changes.
    package mutating func confirm(_ changes: [LeaseChange]) {
        for change in changes {
            guard let count = unconfirmed[change.address] else { continue }
            unconfirmed[change.address] = count > 1 ? count - 1 : nil
        }
    }

    /// Ends a machine's lease; it gets the same address again if nobody else took it meanwhile.
    package mutating func release(_ address: IPv4Address, by mac: MACAddress, now: Timestamp) -> [LeaseChange] {
        guard var lease = leases[address], lease.mac == mac, lease.state == .bound, lease.expires > now else {
            return []
        }
        lease.expires = now
        lease.kept = now
        leases[address] = lease
        searches[lease.network] = nil
        return sent([.set(lease)])
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
        return sent([.set(lease)])
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
