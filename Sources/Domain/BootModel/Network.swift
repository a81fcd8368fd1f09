public import NetworkTypes

/// A subnet that we serve.
public struct Network: Hashable, Sendable, Codable {
    /// What the server does about DHCP on a network.
    public enum DHCPMode: String, Hashable, Sendable, Codable, CaseIterable {
        /// It is the DHCP server: it gives out addresses.
        case full
        /// It adds boot information beside the DHCP server that is there.
        case proxy
        /// It does not answer DHCP.
        case off
    }

    /// What machines get that no node names.
    public enum UnknownNodes: String, Hashable, Sendable, Codable, CaseIterable {
        /// An address and the default profile's boot.
        case boot
        /// An address, no boot.
        case addressOnly = "address-only"
        /// No answer.
        case ignore
    }

    /// Its parts, which copies share: a DHCP server hands a network around many times for each message.
    private var storage: Storage

    /// Its name.
    public var name: NetworkName {
        _read { yield storage.fields.name }
        set { change { $0.name = newValue } }
    }
    /// The server's interface on it, such as `eth1`.
    public var interface: String? {
        _read { yield storage.fields.interface }
        set { change { $0.interface = newValue } }
    }
    /// Its addresses.
    public var subnet: IPv4Subnet {
        _read { yield storage.fields.subnet }
        set { change { $0.subnet = newValue } }
    }
    /// What the server does about DHCP.
    public var dhcp: DHCPMode {
        _read { yield storage.fields.dhcp }
        set { change { $0.dhcp = newValue } }
    }
    /// The address pools for machines without a reservation.
    public var pools: [IPv4Range] {
        _read { yield storage.fields.pools }
        set { change { $0.pools = newValue } }
    }
    /// The default router handed out.
    public var router: IPv4Address? {
        _read { yield storage.fields.router }
        set { change { $0.router = newValue } }
    }
    /// The name servers handed out.
    public var nameservers: [IPv4Address] {
        _read { yield storage.fields.nameservers }
        set { change { $0.nameservers = newValue } }
    }
    /// The domain handed out.
    public var domain: String? {
        _read { yield storage.fields.domain }
        set { change { $0.domain = newValue } }
    }
    /// For how long an address is given, in seconds.
    public var leaseSeconds: UInt32 {
        _read { yield storage.fields.leaseSeconds }
        set { change { $0.leaseSeconds = newValue } }
    }
    /// What machines get that no node names.
    public var unknownNodes: UnknownNodes {
        _read { yield storage.fields.unknownNodes }
        set { change { $0.unknownNodes = newValue } }
    }
    /// What it says beyond that.
    public var terms: NetworkTerms {
        _read { yield storage.fields.terms }
        set { change { $0.terms = newValue } }
    }

    /// A network from its parts.
    public init(
        name: NetworkName,
        interface: String? = nil,
        subnet: IPv4Subnet,
        dhcp: DHCPMode = .proxy,
        pools: [IPv4Range] = [],
        router: IPv4Address? = nil,
        nameservers: [IPv4Address] = [],
        domain: String? = nil,
        leaseSeconds: UInt32 = 43_200,
        unknownNodes: UnknownNodes = .boot,
        terms: NetworkTerms = NetworkTerms()
    ) {
        let fields = Fields(
            name: name,
            interface: interface,
            subnet: subnet,
            dhcp: dhcp,
            pools: pools,
            router: router,
            nameservers: nameservers,
            domain: domain,
            leaseSeconds: leaseSeconds,
            unknownNodes: unknownNodes,
            terms: terms
        )
        storage = Storage(fields)
    }

    private mutating func change(_ body: (inout Fields) -> Void) {
        var fields = storage.fields
        body(&fields)
        storage = Storage(fields)
    }

    fileprivate final class Storage: Sendable {
        let fields: Fields
        init(_ fields: Fields) { self.fields = fields }
    }

    fileprivate struct Fields: Hashable, Sendable, Codable {
        var name: NetworkName
        var interface: String?
        var subnet: IPv4Subnet
        var dhcp: DHCPMode
        var pools: [IPv4Range]
        var router: IPv4Address?
        var nameservers: [IPv4Address]
        var domain: String?
        var leaseSeconds: UInt32
        var unknownNodes: UnknownNodes
        var terms: NetworkTerms
    }

    /// Whether both say the same.
    public static func == (left: Network, right: Network) -> Bool {
        left.storage === right.storage || left.storage.fields == right.storage.fields
    }

    /// Feeds all that it says.
    public func hash(into hasher: inout Hasher) { storage.fields.hash(into: &hasher) }

    /// From its parts by name.
    public init(from decoder: any Decoder) throws { storage = Storage(try Fields(from: decoder)) }

    /// Its parts by name.
    public func encode(to encoder: any Encoder) throws { try storage.fields.encode(to: encoder) }
}
