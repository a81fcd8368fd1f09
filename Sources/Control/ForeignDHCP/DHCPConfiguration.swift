public import BootModel
import NetworkTypes

/// Configuration of another program's DHCP server that sends machines to this one.
///
/// It says what the planner would: firmware gets iPXE by its architecture, a running iPXE the address of its script.
public struct DHCPConfiguration: Sendable {
    /// The program that reads it.
    public enum Program: String, Sendable, CaseIterable {
        /// ISC dhcpd 4.
        case dhcpd
        /// Kea 2, `kea-dhcp4`.
        case kea
        /// dnsmasq 2.
        case dnsmasq
    }

    /// One network and how its machines reach this server.
    public struct Place: Sendable {
        /// The network.
        public var network: Network
        /// The interface there, for programs that want its name.
        public var interface: String?
        /// This server on that network.
        public var server: ServerAddresses

        /// A place from its parts.
        public init(network: Network, interface: String?, server: ServerAddresses) {
            self.network = network
            self.interface = interface
            self.server = server
        }
    }

    /// What firmware of an architecture fetches.
    struct Loader {
        var label: String
        /// DHCP option 93.
        var architectures: [UInt16]
        var file: String
        var isHTTP = false
    }

    /// The same loaders that this server gives by itself.
    static let loaders = [
        Loader(label: "bios", architectures: [0], file: "undionly.kpxe"),
        Loader(label: "x64-efi", architectures: [7, 9], file: "snponly.efi"),
        Loader(label: "arm64-efi", architectures: [11], file: "snponly-arm64.efi"),
        Loader(label: "x64-http", architectures: [16], file: "snponly.efi", isHTTP: true),
        Loader(label: "arm64-http", architectures: [19], file: "snponly-arm64.efi", isHTTP: true),
    ]

    let places: [Place]
    let nodes: [Node]

    /// A configuration of these networks, with the addresses that are reserved for the fleet's nodes there.
    public init(places: [Place], fleet: Fleet) {
        self.places = places.sorted { $0.network.name < $1.network.name }
        nodes = fleet.nodes.values.sorted { $0.name < $1.name }
    }

    /// The file's text.
    public func text(for program: Program) -> String {
        switch program {
        case .dhcpd: dhcpd
        case .kea: kea
        case .dnsmasq: dnsmasq
        }
    }

    /// iPXE itself puts its hardware address in.
    func script(_ place: Place) -> String {
        "http://\(place.server.address):\(place.server.httpPort)/boot/${net0/mac:hexhyp}/script.ipxe"
    }

    func file(_ loader: Loader, _ place: Place) -> String {
        loader.isHTTP
            ? "http://\(place.server.address):\(place.server.httpPort)/loaders/\(loader.file)" : loader.file
    }

    /// The nodes with an address on a network.
    func nodes(on network: Network) -> [(name: NodeName, mac: MACAddress, address: IPv4Address)] {
        nodes.compactMap { node in
            guard let address = node.address, network.subnet.contains(address), let mac = node.macs.first else {
                return nil
            }
            return (node.name, mac, address)
        }
    }
}
