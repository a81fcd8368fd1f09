/// The number of an option (RFC 2132 and IANA's registry).
public struct DHCPOptionCode: RawRepresentable, Hashable, Sendable {
    /// The byte on the wire.
    public var rawValue: UInt8
    /// From the byte on the wire; codes without a name here are kept.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ rawValue: UInt8) { self.rawValue = rawValue }

    /// A byte that fills (0).
    public static let pad = DHCPOptionCode(0)
    /// The netmask (1).
    public static let subnetMask = DHCPOptionCode(1)
    /// Routers (3).
    public static let routers = DHCPOptionCode(3)
    /// Name servers (6).
    public static let nameServers = DHCPOptionCode(6)
    /// The client's name (12).
    public static let hostName = DHCPOptionCode(12)
    /// The domain (15).
    public static let domainName = DHCPOptionCode(15)
    /// The root file system's path (17).
    public static let rootPath = DHCPOptionCode(17)
    /// The subnet's broadcast address (28).
    public static let broadcastAddress = DHCPOptionCode(28)
    /// Time servers (42).
    public static let timeServers = DHCPOptionCode(42)
    /// Vendor options: for PXE clients the boot menu's (43).
    public static let vendorOptions = DHCPOptionCode(43)
    /// The address the client wants (50).
    public static let requestedAddress = DHCPOptionCode(50)
    /// For how long an address is given (51).
    public static let leaseTime = DHCPOptionCode(51)
    /// Whether `file` and `sname` hold options (52).
    public static let overload = DHCPOptionCode(52)
    /// What kind of message this is (53).
    public static let messageType = DHCPOptionCode(53)
    /// Which server speaks, or is spoken to (54).
    public static let serverIdentifier = DHCPOptionCode(54)
    /// Options the client wants (55).
    public static let parameterRequestList = DHCPOptionCode(55)
    /// An error in words (56).
    public static let message = DHCPOptionCode(56)
    /// The longest message the client takes (57).
    public static let maximumMessageSize = DHCPOptionCode(57)
    /// When the client renews (58).
    public static let renewalTime = DHCPOptionCode(58)
    /// When the client asks any server (59).
    public static let rebindingTime = DHCPOptionCode(59)
    /// What kind of client this is (60).
    public static let vendorClass = DHCPOptionCode(60)
    /// Who the client says it is (61).
    public static let clientIdentifier = DHCPOptionCode(61)
    /// The boot server's name or address (66).
    public static let tftpServerName = DHCPOptionCode(66)
    /// The boot file (67).
    public static let bootFileName = DHCPOptionCode(67)
    /// The boot item a PXE client chose from a menu (71 within its 4011 request, RFC draft of PXE 2.1).
    public static let bootItem = DHCPOptionCode(71)
    /// Classes the client's owner gave it (77).
    public static let userClass = DHCPOptionCode(77)
    /// What a relay agent added (82).
    public static let relayAgentInformation = DHCPOptionCode(82)
    /// How long ago a lease was given (91).
    public static let lastTransaction = DHCPOptionCode(91)
    /// Further addresses of a machine (92).
    public static let associatedAddresses = DHCPOptionCode(92)
    /// Kinds of machine the client can boot as (93).
    public static let clientArchitecture = DHCPOptionCode(93)
    /// The ROM's network driver interface (94).
    public static let networkInterface = DHCPOptionCode(94)
    /// The machine's UUID (97).
    public static let machineIdentifier = DHCPOptionCode(97)
    /// The subnet to choose from (118).
    public static let subnetSelection = DHCPOptionCode(118)
    /// Routes (121).
    public static let classlessRoutes = DHCPOptionCode(121)
    /// Says to Etherboot that options 129 to 254 are meant for it (128).
    public static let etherbootSignature = DHCPOptionCode(128)
    /// iPXE's own options (175).
    public static let ipxe = DHCPOptionCode(175)
    /// A loader's configuration file (209).
    public static let configurationFile = DHCPOptionCode(209)
    /// Before a loader's relative paths (210).
    public static let pathPrefix = DHCPOptionCode(210)
    /// The end of the options (255).
    public static let end = DHCPOptionCode(255)
}

extension DHCPOptionCode: CustomStringConvertible {
    /// The number and a short name: `53 (message-type)`.
    public var description: String {
        DHCPOptionFormat.known[rawValue].map { "\(rawValue) (\($0.name))" } ?? "\(rawValue)"
    }
}
