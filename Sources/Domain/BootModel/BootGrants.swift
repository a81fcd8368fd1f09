public import NetworkTypes

/// What one boot of one node may use of this server's storage, and nobody else may.
///
/// Made from the plan whose script goes out, and kept on disk: it holds after a restart of the server, whatever the fleet
/// says by then, until the node's next boot.
public struct BootGrants: Hashable, Sendable, Codable {
    /// Which boot.
    public var boot: BootIdentifier
    /// Whose.
    public var node: NodeName
    /// The hardware address it boots from.
    public var mac: MACAddress
    /// Where it is on the network; nil until it is known.
    public var address: IPv4Address?
    /// The image version that it booted.
    public var image: ImageVersionID
    /// The kind of root it was given.
    public var root: RootChoice
    /// The directory trees it may mount over NFS.
    public var trees: [TreeGrant]
    /// The block devices of its own that it may open over NBD.
    public var volumes: [VolumeGrant]
    /// What it mounts over its root, one line each, as it is told.
    public var mounts: [String]
    /// Further images that its menu offered.
    public var otherImages: [ImageVersionID]

    /// Grants from their parts.
    public init(
        boot: BootIdentifier,
        node: NodeName,
        mac: MACAddress,
        address: IPv4Address?,
        image: ImageVersionID,
        root: RootChoice,
        trees: [TreeGrant],
        volumes: [VolumeGrant],
        mounts: [String] = [],
        otherImages: [ImageVersionID] = []
    ) {
        self.boot = boot
        self.node = node
        self.mac = mac
        self.address = address
        self.image = image
        self.root = root
        self.trees = trees
        self.volumes = volumes
        self.mounts = mounts
        self.otherImages = otherImages
    }
}

/// A directory tree that a boot may mount.
public struct TreeGrant: Hashable, Sendable, Codable {
    /// The path that it is exported under; what belongs to one boot names that boot.
    public var path: String
    /// What lies behind the path.
    public var source: TreeSource
    /// Whether the node may change it.
    public var isWritable: Bool
    /// Whether the node's root is root there too: only in what is the node's own.
    public var isOwn: Bool

    /// A grant from its parts.
    public init(path: String, source: TreeSource, isWritable: Bool, isOwn: Bool) {
        self.path = path
        self.source = source
        self.isWritable = isWritable
        self.isOwn = isOwn
    }
}

/// What lies behind an exported path.
public enum TreeSource: Hashable, Sendable, Codable {
    /// The files of an image version, read-only.
    case image(ImageVersionID)
    /// The directory that holds an image version's root file.
    case imageFiles(ImageVersionID)
    /// A private layer over an image, dropped at the node's next boot.
    case cow(ImageVersionID, NodeName, BootIdentifier)
    /// A node's own layer over an image, kept.
    case keep(ImageVersionID, NodeName)
    /// One layer over an image that all nodes write to.
    case shared(ImageVersionID)
    /// What a node's `state:` paths hold.
    case state(NodeName)
    /// A directory of the server.
    case directory(String)
}

/// A block device that belongs to one node.
public struct VolumeGrant: Hashable, Sendable, Codable {
    /// What it is for.
    public var kind: VolumeKind
    /// Its size in bytes; nil where the image decides.
    public var size: Int64?

    /// A grant from its parts.
    public init(_ kind: VolumeKind, size: Int64?) {
        self.kind = kind
        self.size = size
    }
}

/// What a node's block device is for.
public enum VolumeKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// The upper layer of a root with `writes: keep`.
    case volume
    /// Swap space.
    case swap
    /// The writable copy of an image, for one writer at a time.
    case shared
}

/// The NBD export name of a boot's block device: `volume/megane/<boot>`, or `volume/megane/<boot>/growing` for a node that
/// takes a larger device when it dials again.
public struct VolumeName: Hashable, Sendable, LosslessStringConvertible {
    /// What it is for.
    public var kind: VolumeKind
    /// Whose.
    public var node: NodeName
    /// For which of its boots.
    public var boot: BootIdentifier
    /// Whether the node takes a larger device than it had when it dials again; others would wait for the old size for ever.
    public var isGrowing = false

    /// A name from its parts.
    public init(_ kind: VolumeKind, _ node: NodeName, _ boot: BootIdentifier) {
        self.kind = kind
        self.node = node
        self.boot = boot
    }

    /// From the text on the wire; else nil.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let isGrowing = parts.count == 4 && parts[0] == VolumeKind.volume.rawValue && parts[3] == Self.growing
        guard parts.count == 3 || isGrowing, let kind = VolumeKind(rawValue: parts[0]), let node = NodeName(parts[1]),
            let boot = BootIdentifier(parts[2])
        else { return nil }
        self.init(kind, node, boot)
        self.isGrowing = isGrowing
    }

    private static let growing = "growing"

    /// The text on the wire.
    public var description: String { "\(kind.rawValue)/\(node)/\(boot)" + (isGrowing ? "/\(Self.growing)" : "") }
}
