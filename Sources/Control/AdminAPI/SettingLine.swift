public import BootModel

/// A setting as it holds for a node, and where it came from.
public struct SettingLine: Hashable, Sendable, Codable {
    /// The setting, as the fleet file calls it: `image`, `root.via`, `variables.seat`.
    public var key: String
    /// Its value in words.
    public var value: String
    /// Its value as the fleet file has it; nil when nobody said one.
    public var content: SettingValue?
    /// `node`, `profile NAME` or `built in`.
    public var source: String
    /// When a change of it reaches a node that runs: `applies now` or `next boot`.
    public var effect: String

    /// A line of an effective value.
    public init(_ entry: EffectiveSettings.Entry) {
        key = entry.key
        value = entry.words
        content = entry.value
        source = "\(entry.source)"
        effect = entry.effect.rawValue
    }

    /// A node's effective settings as lines.
    public static func lines(_ settings: EffectiveSettings) -> [SettingLine] { settings.entries.map(SettingLine.init) }
}
