/// Settings that a node, a profile or the default may give; nil means "not said here".
public struct Settings: Hashable, Sendable, Codable {
    /// The image to boot.
    public var image: ImageReference?
    /// How the root reaches the node.
    public var via: RootVia?
    /// Where writes go.
    public var writes: RootWrites?
    /// Kernel arguments, after the image's own; nil inherits, an empty list means none.
    public var kernelArguments: [String]?

    /// Settings from their parts; all may be left out.
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

/// Where an effective value came from.
public enum SettingSource: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The node itself.
    case node
    /// One of its profiles, or the profile `default`.
    case profile(ProfileName)
    /// Nobody said anything: the program's own default.
    case builtIn

    /// For a table: "node", "profile lab", "built in".
    public var description: String {
        switch self {
        case .node: "node"
        case .profile(let name): "profile \(name)"
        case .builtIn: "built in"
        }
    }
}

/// A value and where it came from.
public struct Sourced<Value: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
    /// The value.
    public var value: Value
    /// Where it came from.
    public var source: SettingSource

    /// A value with its source.
    public init(_ value: Value, from source: SettingSource) {
        self.value = value
        self.source = source
    }
}

/// A node's settings after its own, its profiles' in order and the default's were laid over each other: for each
/// setting the first that says something wins.
public struct EffectiveSettings: Hashable, Sendable, Codable {
    /// The image to boot; nil when nobody named one: then the newest version of any image.
    public var image: Sourced<ImageReference>?
    /// How the root reaches the node.
    public var via: Sourced<RootVia>
    /// Where writes go.
    public var writes: Sourced<RootWrites>
    /// Kernel arguments after the image's own.
    public var kernelArguments: Sourced<[String]>

    /// Both halves of the root together.
    public var root: RootChoice { RootChoice(via: via.value, writes: writes.value) }

    /// The settings that hold when `layers` are asked in order.
    public init(layers: [(source: SettingSource, settings: Settings)]) {
        func first<Value>(_ key: KeyPath<Settings, Value?>) -> Sourced<Value>? {
            for layer in layers {
                if let value = layer.settings[keyPath: key] { return Sourced(value, from: layer.source) }
            }
            return nil
        }
        image = first(\.image)
        via = first(\.via) ?? Sourced(RootChoice.default.via, from: .builtIn)
        writes = first(\.writes) ?? Sourced(RootChoice.default.writes, from: .builtIn)
        kernelArguments = first(\.kernelArguments) ?? Sourced([], from: .builtIn)
    }
}
