public import NetworkTypes

/// Settings that nodes share.
public struct Profile: Hashable, Sendable {
    /// Its name.
    public var name: ProfileName
    /// The profiles whose settings it falls back to, the first the strongest.
    public var inherits: [ProfileName]
    /// The machines that it applies itself to; any of the selectors will do.
    public var selectors: [ProfileSelector]
    /// What it says.
    public var settings: Settings

    /// A profile from its parts.
    public init(
        name: ProfileName,
        inherits: [ProfileName] = [],
        selectors: [ProfileSelector] = [],
        settings: Settings = Settings()
    ) {
        self.name = name
        self.inherits = inherits
        self.selectors = selectors
        self.settings = settings
    }
}

/// A machine that boots from us and has a name.
public struct Node: Hashable, Sendable, Codable {
    /// Its name; also its host name.
    public var name: NodeName
    /// The hardware addresses of the interfaces it may boot from, the first its usual one.
    public var macs: [MACAddress]
    /// Its machine's UUID, for firmware that hides the hardware address.
    public var uuid: MachineUUID?
    /// What else tells it by its DHCP requests.
    public var identities: [DHCPIdentity]
    /// The address reserved for it.
    public var address: IPv4Address?
    /// Its profiles, the first the strongest; `default` is always asked last.
    public var profiles: [ProfileName]
    /// What is said for this node alone.
    public var settings: Settings

    /// A node from its parts.
    public init(
        name: NodeName,
        macs: [MACAddress],
        uuid: MachineUUID? = nil,
        identities: [DHCPIdentity] = [],
        address: IPv4Address? = nil,
        profiles: [ProfileName] = [],
        settings: Settings = Settings()
    ) {
        self.name = name
        self.macs = macs
        self.uuid = uuid
        self.identities = identities
        self.address = address
        self.profiles = profiles
        self.settings = settings
    }
}
