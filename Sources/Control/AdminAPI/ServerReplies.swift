public import BootModel
public import NetworkTypes

/// What a running server knows of itself.
public struct ServerFacts: Hashable, Sendable, Codable {
    /// A network that it serves now, from the fleet or from its command line.
    public struct ServedNetwork: Hashable, Sendable, Codable {
        /// The network.
        public var network: Network
        /// The interface it is served on.
        public var interface: String
        /// The addresses and ports that nodes on it are told.
        public var server: ServerAddresses

        /// A served network from its parts.
        public init(network: Network, interface: String, server: ServerAddresses) {
            self.network = network
            self.interface = interface
            self.server = server
        }
    }

    /// A port that it listens on.
    public struct Listener: Hashable, Sendable, Codable {
        /// What is served there: `DHCP`, `TFTP`, `boot HTTP`, `NBD`.
        public var service: String
        /// Where: `UDP 10.0.0.1:67`.
        public var place: String

        /// A listener from its parts.
        public init(service: String, place: String) {
            self.service = service
            self.place = place
        }
    }

    /// A root that is connected now.
    public struct ConnectedRoot: Hashable, Sendable, Codable {
        /// Whose.
        public var node: NodeName
        /// The image version that it runs.
        public var image: ImageVersionID

        /// A connected root from its parts.
        public init(node: NodeName, image: ImageVersionID) {
            self.node = node
            self.image = image
        }
    }

    /// The program's version.
    public var version: String
    /// Its process id.
    public var process: Int32
    /// When it started.
    public var started: Timestamp
    /// Its state directory.
    public var stateDirectory: String
    /// The networks that it serves.
    public var networks: [ServedNetwork]
    /// The ports that it listens on.
    public var listeners: [Listener]
    /// The roots that are connected now.
    public var roots: [ConnectedRoot]

    /// Facts from their parts.
    public init(
        version: String,
        process: Int32,
        started: Timestamp,
        stateDirectory: String,
        networks: [ServedNetwork],
        listeners: [Listener],
        roots: [ConnectedRoot] = []
    ) {
        self.version = version
        self.process = process
        self.started = started
        self.stateDirectory = stateDirectory
        self.networks = networks
        self.listeners = listeners
        self.roots = roots
    }
}

/// What is running.
public struct StatusReply: Hashable, Sendable, Codable {
    /// What the server knows of itself.
    public var server: ServerFacts
    /// How many nodes have a name.
    public var nodes: Int
    /// How many leases have not expired.
    public var leases: Int
    /// The newest boot of each node that has booted, without events.
    public var boots: [BootRecord]

    /// A reply from its parts.
    public init(server: ServerFacts, nodes: Int, leases: Int, boots: [BootRecord]) {
        self.server = server
        self.nodes = nodes
        self.leases = leases
        self.boots = boots
    }
}

/// What each request of one machine would get, and why.
public struct Explanation: Hashable, Sendable, Codable {
    /// The answer to one kind of request.
    public struct Step: Hashable, Sendable, Codable {
        /// Who asks: `x86-64 UEFI firmware`, `iPXE`.
        public var asks: String
        /// What it is told to fetch.
        public var bootFile: String?
        /// Why it gets nothing.
        public var refusal: String?
        /// The decisions in the order they were taken.
        public var reasons: [String]

        /// A step from its parts.
        public init(asks: String, bootFile: String?, refusal: String?, reasons: [String]) {
            self.asks = asks
            self.bootFile = bootFile
            self.refusal = refusal
            self.reasons = reasons
        }
    }

    /// The machine.
    public var mac: MACAddress
    /// The node it is.
    public var node: NodeName
    /// Whether somebody has named it.
    public var isKnown: Bool
    /// The network it is expected on; nil when none is served.
    public var network: NetworkName?
    /// The address it would have; nil when it is chosen when the machine asks.
    public var address: IPv4Address?
    /// What holds for it.
    public var settings: [SettingLine]
    /// The profiles that are asked for it, in order, in words: `pis (applies itself: mac b8:27:eb)`.
    public var profiles: [String] = []
    /// Each request of its boot.
    public var steps: [Step]
    /// The image version it would boot.
    public var image: ImageVersionID?
    /// The root it would have.
    public var root: String?
    /// The kernel's arguments.
    public var kernelArguments: [String]
    /// The loader script.
    public var script: String?

    /// An explanation of a machine, to be filled in.
    public init(mac: MACAddress, node: NodeName, isKnown: Bool, settings: [SettingLine]) {
        self.mac = mac
        self.node = node
        self.isKnown = isKnown
        self.settings = settings
        steps = []
        kernelArguments = []
    }

    /// Whether it would boot.
    public var boots: Bool { steps.allSatisfy { $0.refusal == nil } }
}
