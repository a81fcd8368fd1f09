public import BootModel
public import NetworkTypes
public import NodeAgent

/// What applying a fleet file did, or would do.
public struct ApplyReply: Hashable, Sendable, Codable {
    /// One entry that is added, changed or removed.
    public struct Change: Hashable, Sendable, Codable {
        /// `add`, `change` or `remove`.
        public var action: String
        /// `network`, `profile` or `node`.
        public var kind: String
        /// The entry's name.
        public var name: String
        /// What it says, or what changes.
        public var details: [String]
        /// The line that is printed: `~ node megane  address: 10.0.0.71 -> 10.0.0.72`.
        public var line: String

        /// A change from its parts.
        public init(action: String, kind: String, name: String, details: [String], line: String) {
            self.action = action
            self.kind = kind
            self.name = name
            self.details = details
            self.line = line
        }
    }

    /// Whether the fleet was changed: false for a dry run.
    public var applied: Bool
    /// The differences.
    public var changes: [Change]

    /// A reply from its parts.
    public init(applied: Bool, changes: [Change]) {
        self.applied = applied
        self.changes = changes
    }
}

/// A node to be added.
public struct NodeDraft: Hashable, Sendable, Codable {
    /// Its name.
    public var name: NodeName
    /// Its hardware addresses.
    public var macs: [MACAddress]
    /// The address to reserve for it.
    public var address: IPv4Address?
    /// Its profiles, the first the strongest.
    public var profiles: [ProfileName]
    /// The image of this node alone.
    public var image: ImageReference?
    /// How the root of this node alone reaches it.
    public var via: RootVia?
    /// Where the writes of this node alone go.
    public var writes: RootWrites?

    /// A draft from its parts.
    public init(
        name: NodeName,
        macs: [MACAddress],
        address: IPv4Address? = nil,
        profiles: [ProfileName] = [],
        image: ImageReference? = nil,
        via: RootVia? = nil,
        writes: RootWrites? = nil
    ) {
        self.name = name
        self.macs = macs
        self.address = address
        self.profiles = profiles
        self.image = image
        self.via = via
        self.writes = writes
    }
}

/// One line of `diskless node list`.
public struct NodeSummary: Hashable, Sendable, Codable {
    /// Its name.
    public var name: NodeName
    /// Its hardware addresses.
    public var macs: [MACAddress]
    /// The address that is reserved for it, else that of its lease.
    public var address: IPv4Address?
    /// Its profiles.
    public var profiles: [ProfileName]
    /// The image that its settings name; nil for the newest of all.
    public var image: ImageReference?
    /// Its newest boot, without events.
    public var boot: BootRecord?
    /// How it is, as its agent told last; nil when none was heard since the server started.
    public var agent: NodeCondition?

    /// A summary from its parts.
    public init(
        name: NodeName,
        macs: [MACAddress],
        address: IPv4Address?,
        profiles: [ProfileName],
        image: ImageReference?,
        boot: BootRecord?,
        agent: NodeCondition? = nil
    ) {
        self.name = name
        self.macs = macs
        self.address = address
        self.profiles = profiles
        self.image = image
        self.boot = boot
        self.agent = agent
    }
}

/// Everything about one node.
public struct NodeReply: Hashable, Sendable, Codable {
    /// What the list says of it.
    public var node: NodeSummary
    /// Its machine's UUID.
    public var uuid: MachineUUID?
    /// The address that is reserved for it.
    public var reservation: IPv4Address?
    /// Its lease.
    public var lease: Lease?
    /// What holds for it, each value with its source.
    public var settings: [SettingLine]
    /// The profiles that are asked for it, in order, in words: `pis (applies itself: mac b8:27:eb)`.
    public var profileChain: [String]

    /// A reply from its parts.
    public init(
        node: NodeSummary,
        uuid: MachineUUID?,
        reservation: IPv4Address?,
        lease: Lease?,
        settings: [SettingLine],
        profileChain: [String]
    ) {
        self.profileChain = profileChain
        self.node = node
        self.uuid = uuid
        self.reservation = reservation
        self.lease = lease
        self.settings = settings
    }
}
