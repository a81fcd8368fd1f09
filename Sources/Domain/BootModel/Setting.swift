/// When a change of a setting reaches a node that runs.
public enum SettingEffect: String, Hashable, Sendable, Codable {
    /// At once, or as soon as the node's agent asks.
    case now = "applies now"
    /// At once where it is a larger size than before; a smaller one never.
    case nowWhenLarger = "applies now, but makes nothing smaller"
    /// When it boots the next time.
    case nextBoot = "next boot"
}

/// One setting: its key, and how its value is read, written and explained; the only place that lists them.
public struct Setting: Sendable {
    /// Its key in the fleet file and on the command line; a dot stands before a key inside another: `root.via`.
    public let key: String
    /// When a change reaches a node that runs.
    public let effect: SettingEffect
    /// What a table says when nobody has said anything; nil leaves the setting out.
    public let wordsWhenUnset: String?

    private let readValue: @Sendable (SettingValue, inout Settings) throws(SettingError) -> Void
    private let writeValue: @Sendable (Settings) -> SettingValue?
    private let clearValue: @Sendable (inout Settings) -> Void

    private init<Value: SettingCodable>(
        _ key: String,
        _ property: any WritableKeyPath<Settings, Value?> & Sendable,
        _ effect: SettingEffect = .nextBoot,
        unset: String? = nil
    ) {
        self.key = key
        self.effect = effect
        wordsWhenUnset = unset
        readValue = { value, settings throws(SettingError) in settings[keyPath: property] = try Value(setting: value) }
        writeValue = { $0[keyPath: property]?.setting }
        clearValue = { $0[keyPath: property] = nil }
    }

    /// Every setting, in the order in which files and tables show them.
    public static let all: [Setting] = [
        Setting("image", \.image, unset: "the newest of all"),
        Setting("root.via", \.via, unset: RootChoice.default.via.rawValue),
        Setting("root.writes", \.writes, unset: RootChoice.default.writes.rawValue),
        Setting("root.server", \.rootServer),
        Setting("root.version", \.rootVersion),
        Setting("kernel-arguments", \.kernelArguments, unset: "none"),
        Setting("loader", \.loader),
        Setting("menu.timeout", \.menuTimeout),
        Setting("menu.default", \.menuDefault),
        Setting("menu.entries", \.menuEntries),
        Setting("mounts", \.mounts),
        Setting("state", \.state),
        Setting("volatile", \.volatile),
        Setting("files", \.files, unset: "base"),
        Setting("variables", \.variables),
        Setting("swap", \.swap),
        Setting("volume", \.volume, .nowWhenLarger),
        Setting("options", \.options, .now),
        Setting("users", \.users, .now),
        Setting("autologin", \.autologin),
    ]

    private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    /// The setting of this key; nil when there is none.
    public static func named(_ key: String) -> Setting? { byKey[key] }

    /// The keys of the outermost level in order: `image`, `root` and so on.
    public static let outerKeys: [String] = all.reduce(into: []) { keys, setting in
        if keys.last != setting.outerKey { keys.append(setting.outerKey) }
    }

    /// The settings inside an outer key, or the one setting of that key.
    public static func inside(_ outerKey: String) -> [Setting] { all.filter { $0.outerKey == outerKey } }

    /// The key of the outermost level: `root` of `root.via`.
    public var outerKey: String { key.split(separator: ".").first.map(String.init) ?? key }
    /// The key inside the outer one; nil when it stands there by itself.
    public var innerKey: String? { key.contains(".") ? key.split(separator: ".").last.map(String.init) : nil }

    /// Sets it from what stands under its key.
    public func read(_ value: SettingValue, into settings: inout Settings) throws(SettingError) {
        try readValue(value, &settings)
    }

    /// What is written under its key; nil when these settings do not say it.
    public func value(in settings: Settings) -> SettingValue? { writeValue(settings) }

    /// Makes it unsaid.
    public func clear(in settings: inout Settings) { clearValue(&settings) }
}
