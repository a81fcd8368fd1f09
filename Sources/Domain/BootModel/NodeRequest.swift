public import NetworkTypes

/// What a machine told of itself when it asked how to boot, freed from the protocol it asked in.
public struct NodeRequest: Hashable, Sendable {
    /// The hardware address of the interface it asks from.
    public var mac: MACAddress
    /// Its machine's UUID, when it told one.
    public var uuid: MachineUUID?
    /// What kind of machine and firmware it is; nil when it did not say.
    public var architecture: ClientArchitecture?
    /// Which program is asking.
    public var stage: BootStage
    /// The vendor class as text (option 60), for logs.
    public var vendorClass: String?
    /// The port of the relay agent or switch it hangs on (option 82, sub-option 1), when that one told it.
    public var relayPort: String?
    /// Classes that the machine's owner gave it (option 77).
    public var userClasses: [String]
    /// What else the request tells of who it is, the strongest first.
    public var identities: [DHCPIdentity]
    /// Whether the iPXE that asks is one that we sent; told only by somebody who looks, the boot under way tells it else.
    public var hasLoader = false

    /// A request from its parts.
    public init(
        mac: MACAddress,
        uuid: MachineUUID? = nil,
        architecture: ClientArchitecture? = nil,
        stage: BootStage,
        vendorClass: String? = nil,
        relayPort: String? = nil,
        userClasses: [String] = [],
        identities: [DHCPIdentity] = []
    ) {
        self.mac = mac
        self.uuid = uuid
        self.architecture = architecture
        self.stage = stage
        self.vendorClass = vendorClass
        self.relayPort = relayPort
        self.userClasses = userClasses
        self.identities = identities
    }
}

/// Which program of a booting machine is asking.
public enum BootStage: Hashable, Sendable {
    /// The PXE firmware: it wants a loader by TFTP.
    case firmware
    /// UEFI HTTP Boot: it wants a loader by URL.
    case firmwareHTTP
    /// iPXE: it wants a script by URL.
    case ipxe(IPXEFeatures)
    /// Another loader: it wants its configuration, by TFTP or in the image that it came in.
    case loader(LoaderProgram)
    /// Something after the loader (an initramfs or an operating system), or a machine that does not boot from us.
    case system

    /// For a sentence: "firmware" or "iPXE".
    public var words: String {
        switch self {
        case .firmware: "firmware"
        case .firmwareHTTP: "HTTP Boot firmware"
        case .ipxe: "iPXE"
        case .loader(let program): program.words
        case .system: "operating system"
        }
    }
}

/// What a running iPXE said that it was built with (DHCP option 175).
public struct IPXEFeatures: OptionSet, Hashable, Sendable {
    /// One bit a feature; not iPXE's numbers.
    public var rawValue: UInt16
    /// From the bits below.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Fetching over HTTP (0x13).
    public static let http = IPXEFeatures(rawValue: 1)
    /// Linux bzImage kernels (0x18).
    public static let bzImage = IPXEFeatures(rawValue: 2)
    /// EFI programs (0x24).
    public static let efi = IPXEFeatures(rawValue: 4)
    /// Menus (0x27).
    public static let menu = IPXEFeatures(rawValue: 8)
    /// PXE programs (0x21).
    public static let pxe = IPXEFeatures(rawValue: 16)

    /// Whether it can fetch our script and start a Linux kernel; otherwise it is given our own loader.
    public var canBootLinux: Bool { contains(.http) && (contains(.bzImage) || contains(.efi)) }
}

/// Under which addresses the node that asks can reach this server.
public struct ServerAddresses: Hashable, Sendable, Codable {
    /// The server's address on the node's network.
    public var address: IPv4Address
    /// The port of the boot HTTP server.
    public var httpPort: UInt16
    /// The port of the NBD server.
    public var nbdPort: UInt16
    /// The port of the NFS server.
    public var nfsPort: UInt16

    /// Addresses from their parts; the ports have the defaults of docs/ports.md.
    public init(address: IPv4Address, httpPort: UInt16 = 8067, nbdPort: UInt16 = 10809, nfsPort: UInt16 = 2049) {
        self.address = address
        self.httpPort = httpPort
        self.nbdPort = nbdPort
        self.nfsPort = nfsPort
    }
}

/// What a node's kernel is told about its address.
public enum NodeAddressing: Hashable, Sendable {
    /// We gave it the address, and hold it for the node.
    case leased(address: IPv4Address, subnet: IPv4Subnet, router: IPv4Address?, nameservers: [IPv4Address])
    /// Another DHCP server did: the loader fills in what it was given, and the node keeps renewing it.
    case foreign

    /// The address, where we gave it.
    public var address: IPv4Address? {
        if case .leased(let address, _, _, _) = self { return address }
        return nil
    }
}
