public import NetworkTypes

/// Settings that a node, a profile or the default may give; nil means "not said here".
///
/// A new setting is a property here and a line in `Setting.all`; files, registry, `node show` and JSON follow from that.
public struct Settings: Hashable, Sendable {
    /// The image to boot.
    public var image: ImageReference?
    /// How the root reaches the node.
    public var via: RootVia?
    /// Where writes go.
    public var writes: RootWrites?
    /// The server that has the root; nil for the one that the node boots from.
    public var rootServer: IPv4Address?
    /// The version of NFS that a root over NFS is mounted with.
    public var rootVersion: NFSVersion?
    /// Kernel arguments, after the image's own; nil inherits, an empty list means none.
    public var kernelArguments: [String]?
    /// The loader to use.
    public var loader: LoaderPreference?
    /// How long the boot menu waits.
    public var menuTimeout: MenuTimeout?
    /// What the boot menu starts when nobody chooses.
    public var menuDefault: MenuEntry?
    /// What the boot menu offers.
    public var menuEntries: [MenuEntry]?
    /// File systems that are mounted over the root.
    public var mounts: [Mount]?
    /// Paths that are kept on the server for the node.
    public var state: [NodePath]?
    /// Paths that are in the node's memory and empty at each boot.
    public var volatile: [NodePath]?
    /// Sets of overlay files, the later laid over the earlier.
    public var files: [OverlaySetName]?
    /// Variables for the templates of overlay files; each inherits by itself.
    public var variables: [VariableName: VariableValue]?
    /// How much swap space the server gives the node.
    public var swap: ByteCount?
    /// The size of the node's own volume (`writes: keep`).
    public var volume: ByteCount?
    /// DHCP options for this node.
    public var options: [DHCPOptionSetting]?
    /// Who may log in; nil for everybody whose own profiles allow it.
    public var users: [UserName]?
    /// Who is logged in on the node's screen when it is up; nil for nobody.
    public var autologin: UserName?

    /// Settings that say nothing.
    public init() {}

    /// Settings from the parts that were there first; all may be left out.
    public init(
        image: ImageReference? = nil,
        via: RootVia? = nil,
        writes: RootWrites? = nil,
        kernelArguments: [String]? = nil
    ) {
        self.image = image
        self.via = via
        self.writes = writes
        self.kernelArguments = kernelArguments
    }
}

extension Settings: Codable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// From an object with the keys of `Setting.all`; a key that is not one of them is refused.
    public init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: Key.self)
        for key in container.allKeys {
            guard let setting = Setting.named(key.stringValue) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key,
                    in: container,
                    debugDescription: "there is no setting \"\(key.stringValue)\""
                )
            }
            do {
                try setting.read(try container.decode(SettingValue.self, forKey: key), into: &self)
            } catch let error as SettingError {
                throw DecodingError.dataCorruptedError(
                    forKey: key,
                    in: container,
                    debugDescription: error.text(under: key.stringValue)
                )
            }
        }
    }

    /// As an object with the keys of `Setting.all`; what is not said is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for setting in Setting.all {
            guard let value = setting.value(in: self) else { continue }
            try container.encode(value, forKey: Key(stringValue: setting.key))
        }
    }
}
