public import NetworkTypes

/// What a DHCP reply or a loader is told to fetch.
public enum BootFile: Hashable, Sendable, Codable {
    /// A file by TFTP, named without a leading slash.
    case tftp(String)
    /// An absolute http URL whose host is an IP literal.
    case http(String)

    /// The name or URL as it stands in the reply.
    public var text: String {
        switch self {
        case .tftp(let name): name
        case .http(let url): url
        }
    }
}

/// The root that a plan gives: what is exported, and how the node mounts it.
public struct RootPlan: Hashable, Sendable, Codable {
    /// How it reaches the node and where writes go.
    public var choice: RootChoice
    /// Where it is, as the node is told: `nbd://10.0.0.1:10809/debian@7`.
    public var url: String
    /// Where the node's own volume is, as the node is told; nil when it gets none.
    public var volume: String?
    /// Where the node's swap space is, as the node is told; nil when it gets none.
    public var swap: String?
    /// What is mounted over the root, one line each (docs/protocols/node.md).
    public var mounts: [String] = []
    /// Kernel arguments that tell the same to an initramfs that is not ours; empty where none could do it.
    public var standard: [String] = []
    /// The trees that the boot may mount.
    public var trees: [TreeGrant] = []
    /// The block devices that the boot may open.
    public var volumes: [VolumeGrant] = []

    /// The size of a node's volume that nobody gave another one, in bytes; thin, so it takes what is written.
    public static let volumeSize: Int64 = 8 << 30

    /// Whether the tree that it writes to lies over one image, so that a menu cannot offer another one.
    var isOneImageOnly: Bool {
        volumes.contains { $0.kind == .shared }
            || choice.via == .nfs && choice.writes != .none && choice.writes != .ram
    }

    init(choice: RootChoice, url: String) {
        self.choice = choice
        self.url = url
    }
}

extension BootPlan {
    /// What this boot may use of the server's storage.
    public func grants(boot: BootIdentifier, mac: MACAddress, address: IPv4Address?) -> BootGrants {
        var trees = root.trees
        let others = Set(
            menu.entries.compactMap { entry -> ImageVersionID? in
                if case .linux(let boot) = entry.action, boot.image != image { return boot.image }
                return nil
            }
        ).sorted()
        // What the menu offers beside the usual image may be read as that may.
        for other in others {
            if root.choice.via == .nfs {
                trees.append(TreeGrant(path: "/images/\(other)", source: .image(other), isWritable: false, isOwn: true))
            }
            if root.choice.via == .nfsImage {
                trees.append(
                    TreeGrant(path: "/files/\(other)", source: .imageFiles(other), isWritable: false, isOwn: false)
                )
            }
        }
        return BootGrants(
            boot: boot,
            node: node,
            mac: mac,
            address: address,
            image: image,
            root: root.choice,
            trees: trees,
            volumes: root.volumes,
            mounts: root.mounts,
            otherImages: others
        )
    }
}

/// Everything one boot of one node gets: the answer to every request of that boot.
public struct BootPlan: Hashable, Sendable {
    /// Who boots.
    public var node: NodeName
    /// What it boots.
    public var image: ImageVersionID
    /// What the asking stage fetches next; nil when it needs nothing named (an operating system).
    public var bootFile: BootFile?
    /// The program that fetches what it starts; nil when it needs none.
    public var program: LoaderProgram?
    /// What that program may start.
    public var menu: BootMenu
    /// How the node reaches this server.
    public var server: ServerAddresses
    /// The kernel command line, one argument an element.
    public var kernelArguments: [String]
    /// The root.
    public var root: RootPlan
    /// Why, one sentence a decision, in the order they were taken.
    public var reasons: [String]

    /// The menu as iPXE's script.
    public var script: String { IPXEScript.text(menu, server: server) }
    /// The menu as GRUB's configuration, its files by TFTP from us.
    public var grubConfiguration: String { GRUBConfiguration.text(menu, from: .tftp(server.address)) }
    /// The menu as PXELINUX's configuration.
    public var pxelinuxConfiguration: String {
        PXELINUXConfiguration.text(menu, program: program == .uboot ? .uboot : .pxelinux)
    }
}

/// Why a machine gets nothing to boot.
public struct BootRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line: what is wrong and how to mend it.
    public var reason: String
    /// Whether it is meant to be so (an unknown machine on a network that ignores them), not a fault.
    public var isIntended: Bool

    /// A refusal with its reason.
    public init(_ reason: String, isIntended: Bool = false) {
        self.reason = reason
        self.isIntended = isIntended
    }

    /// The reason.
    public var description: String { reason }
}

/// The name of an NBD export: `debian@7` (read-only), or `debian@7/megane/<boot>` (that boot's private layer).
public struct ExportName: Hashable, Sendable {
    /// The image version underneath.
    public var image: ImageVersionID
    /// Whose private layer; nil for the image itself, read-only.
    public var layer: Layer?

    /// Whose private layer lies over the image.
    public struct Layer: Hashable, Sendable {
        /// The node.
        public var node: NodeName
        /// Its boot.
        public var boot: BootIdentifier
        /// A layer from its parts.
        public init(node: NodeName, boot: BootIdentifier) {
            self.node = node
            self.boot = boot
        }
    }

    /// An export name from its parts.
    public init(image: ImageVersionID, layer: Layer? = nil) {
        self.image = image
        self.layer = layer
    }
}

extension ExportName: LosslessStringConvertible, Codable {
    /// From the text on the wire; else nil.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let image = ImageVersionID(parts[0]) else { return nil }
        switch parts.count {
        case 1: self.init(image: image)
        case 3:
            guard let node = NodeName(parts[1]), let boot = BootIdentifier(parts[2]) else { return nil }
            self.init(image: image, layer: Layer(node: node, boot: boot))
        default: return nil
        }
    }

    /// The text on the wire.
    public var description: String {
        layer.map { "\(image)/\($0.node)/\($0.boot)" } ?? image.description
    }

    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "export name") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
