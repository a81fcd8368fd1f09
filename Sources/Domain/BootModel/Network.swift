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

    /// Its name.
    public var name: NetworkName
    /// The server's interface on it, such as `eth1`.
    public var interface: String?
    /// Its addresses.
    public var subnet: IPv4Subnet
    /// What the server does about DHCP.
    public var dhcp: DHCPMode
    /// The address pools for machines without a reservation.
    public var pools: [IPv4Range]
    /// The default router handed out.
    public var router: IPv4Address?
    /// The name servers handed out.
    public var nameservers: [IPv4Address]
    /// The domain handed out.
    public var domain: String?
    /// For how long an address is given, in seconds.
    public var leaseSeconds: UInt32
    /// What machines get that no node names.
    public var unknownNodes: UnknownNodes
    /// What it says beyond that.
    public var terms: NetworkTerms

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
        self.name = name
        self.interface = interface
        self.subnet = subnet
        self.dhcp = dhcp
        self.pools = pools
        self.router = router
        self.nameservers = nameservers
        self.domain = domain
        self.leaseSeconds = leaseSeconds
        self.unknownNodes = unknownNodes
        self.terms = terms
    }
}
