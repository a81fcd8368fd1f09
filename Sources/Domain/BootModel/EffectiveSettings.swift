/// Where an effective value came from.
public enum SettingSource: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The node itself.
    case node
    /// One of its profiles, one that these inherit, or the profile `default`.
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
public struct Sourced<Value: Hashable & Sendable>: Hashable, Sendable {
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

extension Sourced: Codable where Value: Codable {}

/// A profile that a node has, and why.
public struct ProfileLink: Hashable, Sendable {
    /// How it came to be one of the node's.
    public enum Reason: Hashable, Sendable {
        /// The node names it.
        case named
        /// Another of its profiles inherits it.
        case inherited
        /// It applies itself to such machines.
        case selector(ProfileSelector)
        /// It is `default`, which every node has.
        case everyNode
    }

    /// The profile.
    public var name: ProfileName
    /// Why.
    public var reason: Reason

    /// A link from its parts.
    public init(_ name: ProfileName, _ reason: Reason) {
        self.name = name
        self.reason = reason
    }

    /// For a table: `pis (applies itself: mac b8:27:eb)`.
    public var words: String {
        switch reason {
        case .named, .everyNode: name.text
        case .inherited: "\(name) (inherited)"
        case .selector(let selector): "\(name) (applies itself: \(selector.words))"
        }
    }
}

/// A node's settings after its own, its profiles' in order and the default's were laid over each other: for each
/// setting the first that says something wins, lists as a whole, variables each by itself.
@dynamicMemberLookup
public struct EffectiveSettings: Hashable, Sendable {
    /// Settings of one source.
    struct Layer: Hashable, Sendable {
        var source: SettingSource
        var settings: Settings
    }

    let layers: [Layer]
    /// The profiles that were asked, in order, each with why.
    public let profiles: [ProfileLink]

    /// The settings that hold when `layers` are asked in order.
    public init(layers: [(source: SettingSource, settings: Settings)], profiles: [ProfileLink] = []) {
        self.profiles = profiles
        self.layers = layers.map { Layer(source: $0.source, settings: $0.settings) }
    }

    /// A setting that has no default, such as `image` or `swap`; nil when nobody said it.
    public subscript<Value>(dynamicMember property: KeyPath<Settings, Value?>) -> Sourced<Value>? {
        for layer in layers {
            if let value = layer.settings[keyPath: property] { return Sourced(value, from: layer.source) }
        }
        return nil
    }

    private func first<Value>(_ property: KeyPath<Settings, Value?>, else value: Value) -> Sourced<Value> {
        self[dynamicMember: property] ?? Sourced(value, from: .builtIn)
    }

    /// How the root reaches the node.
    public var via: Sourced<RootVia> { first(\.via, else: RootChoice.default.via) }
    /// Where writes go.
    public var writes: Sourced<RootWrites> { first(\.writes, else: RootChoice.default.writes) }
    /// Both halves of the root together.
    public var root: RootChoice { RootChoice(via: via.value, writes: writes.value) }
    /// Kernel arguments after the image's own.
    public var kernelArguments: Sourced<[String]> { first(\.kernelArguments, else: []) }
    /// The loader to use.
    public var loader: Sourced<LoaderPreference> { first(\.loader, else: .auto) }
    /// What the boot menu offers; empty for no menu.
    public var menuEntries: Sourced<[MenuEntry]> { first(\.menuEntries, else: []) }
    /// File systems that are mounted over the root.
    public var mounts: Sourced<[Mount]> { first(\.mounts, else: []) }
    /// Paths that are kept on the server for the node.
    public var state: Sourced<[NodePath]> { first(\.state, else: []) }
    /// Paths that are in the node's memory.
    public var volatile: Sourced<[NodePath]> { first(\.volatile, else: []) }
    /// Sets of overlay files.
    public var files: Sourced<[OverlaySetName]> { first(\.files, else: [.base]) }
    /// DHCP options.
    public var options: Sourced<[DHCPOptionSetting]> { first(\.options, else: []) }

    /// Variables, each with the source that said it first.
    public var variables: [VariableName: Sourced<VariableValue>] {
        var variables: [VariableName: Sourced<VariableValue>] = [:]
        for layer in layers {
            for (name, value) in layer.settings.variables ?? [:] where variables[name] == nil {
                variables[name] = Sourced(value, from: layer.source)
            }
        }
        return variables
    }
}

extension EffectiveSettings {
    /// One effective value as tables and JSON show it.
    public struct Entry: Hashable, Sendable {
        /// The setting's key, with a variable's name after it: `root.via`, `variables.seat`.
        public var key: String
        /// The value; nil when nobody said one and there is none.
        public var value: SettingValue?
        /// The value, or what holds without one, in words.
        public var words: String
        /// Where it came from.
        public var source: SettingSource
        /// When a change of it reaches a node that runs.
        public var effect: SettingEffect
    }

    /// Every setting that somebody said, and those that matter to every boot, in the order of `Setting.all`.
    public var entries: [Entry] {
        Setting.all.flatMap { setting -> [Entry] in
            if setting.key == "variables" {
                return variables.sorted { $0.key < $1.key }.map { name, sourced in
                    entry(setting, "variables.\(name)", sourced.value.setting, sourced.source)
                }
            }
            for layer in layers {
                guard let value = setting.value(in: layer.settings) else { continue }
                return [entry(setting, setting.key, value, layer.source)]
            }
            guard let words = setting.wordsWhenUnset else { return [] }
            return [
                Entry(key: setting.key, value: nil, words: words, source: .builtIn, effect: setting.effect)
            ]
        }
    }

    private func entry(_ setting: Setting, _ key: String, _ value: SettingValue, _ source: SettingSource) -> Entry {
        Entry(key: key, value: value, words: value.words, source: source, effect: setting.effect)
    }
}
