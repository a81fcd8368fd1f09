import BootModel
import NetworkIO
import NetworkTypes
import Synchronization

/// A registry with one more network, made up from an interface, so that `serve --interface IF` needs no fleet at all.
///
/// The network is never stored. One that the registry has for the same subnet wins. While the interface has no address
/// there is no such network; `refresh` finds the address when it comes, or when it becomes another one.
final class InterfaceNetwork: NodeRegistry {
    /// The interface.
    let interface: String
    private let base: any NodeRegistry
    private let dhcp: Network.DHCPMode
    private let network: Mutex<Network?>

    init(_ base: any NodeRegistry, interface: String, dhcp: Network.DHCPMode) throws {
        self.base = base
        self.interface = interface
        self.dhcp = dhcp
        network = Mutex(try NetworkInterface.named(interface).map { Self.network(of: $0, dhcp: dhcp) })
    }

    /// Whether the interface has had an address.
    var hasAddress: Bool { network.withLock { $0 != nil } }

    /// Looks at the interface's address again; one that is gone for a moment leaves the network as it was.
    func refresh() {
        guard let found = (try? NetworkInterface.named(interface)) ?? nil else { return }
        let now = Self.network(of: found, dhcp: dhcp)
        network.withLock { if $0 != now { $0 = now } }
    }

    /// The network of an interface, from its address.
    ///
    /// With DHCP in full mode the pool is the upper half of the subnet without our own address; router and name servers
    /// are left out, because nothing says who they are.
    static func network(of interface: NetworkInterface, dhcp: Network.DHCPMode) -> Network {
        let subnet = interface.subnet
        var network = Network(
            name: NetworkName(interface.name) ?? NetworkName(checked: "interface"),
            interface: interface.name,
            subnet: subnet,
            dhcp: dhcp
        )
        guard dhcp == .full, subnet.prefixLength <= 30 else { return network }
        let last = subnet.broadcast.value - 1
        // A subnet larger than /16 gets a pool of 32768 addresses, enough for any one wire.
        let size = min((last + 1 - subnet.address.value) / 2, 32_768)
        let ours = interface.address.value
        let ranges: [(UInt32, UInt32)] =
            (last - size + 1...last).contains(ours)
            ? [(last - size + 1, ours - 1), (ours + 1, last)] : [(last - size + 1, last)]
        network.pools = ranges.filter { $0.0 <= $0.1 }
            .compactMap { IPv4Range(IPv4Address(value: $0.0), IPv4Address(value: $0.1)) }
        return network
    }

    func fleet() throws -> Fleet { extended(try base.fleet()) }

    func update<Result>(_ change: (inout Fleet) throws -> Result) throws -> Result { try base.update(change) }

    func observe(_ handler: @escaping @Sendable (Fleet) -> Void) -> any Observation {
        base.observe { [self] in handler(extended($0)) }
    }

    private func extended(_ fleet: Fleet) -> Fleet {
        guard let network = network.withLock({ $0 }) else { return fleet }
        let isServed = fleet.networks.values.contains {
            $0.interface == network.interface || $0.subnet.contains(network.subnet.address)
        }
        guard !isServed else { return fleet }
        var fleet = fleet
        fleet.set(network)
        return fleet
    }
}
