public import BootModel
public import NetworkTypes

/// What a node's overlay files are made from.
public struct OverlayBoot: Sendable {
    /// The node.
    public var node: Node
    /// What holds for it.
    public var settings: EffectiveSettings
    /// The hardware address that it boots from.
    public var mac: MACAddress
    /// Its address; nil in a preview when none is known.
    public var address: IPv4Address?
    /// The network that it boots on.
    public var network: Network?
    /// The image version that it boots.
    public var image: ImageVersion?
    /// How it reaches this server.
    public var server: ServerAddresses?
    /// The boot under way; nil for a preview, which must change nothing that the node's next boot relies on.
    public var boot: BootIdentifier?
    /// Who the node is: its keys and what is derived from its seed.
    public var identity: NodeIdentity

    /// What files are made from, from its parts.
    public init(
        node: Node,
        settings: EffectiveSettings,
        mac: MACAddress,
        address: IPv4Address?,
        network: Network?,
        image: ImageVersion?,
        server: ServerAddresses?,
        boot: BootIdentifier?,
        identity: NodeIdentity
    ) {
        self.node = node
        self.settings = settings
        self.mac = mac
        self.address = address
        self.network = network
        self.image = image
        self.server = server
        self.boot = boot
        self.identity = identity
    }
}

/// A part of the program that gives nodes files of its own: users, a token.
///
/// Its files are laid over those of all sets. Scripts at `run/diskless/prepare.d/NN-NAME` are run on the node, in the
/// new root and before its init, by `/run/diskless/busybox sh` (docs/protocols/node.md).
public protocol OverlayContributor: Sendable {
    /// What it is, for people: "users".
    var name: String { get }
    /// Its files for one boot of a node; called again for another loader's try at the same boot.
    ///
    /// Throws one line that says what is wrong: then the node does not boot.
    func files(for boot: OverlayBoot) throws -> [OverlayFile]
}
