/// What stands under a setting's key, freed from the language it was written in: text, a list, or keys and values.
///
/// The fleet file, the registry and the admin API each write and read this; a `Setting` turns it into a typed value.
public indirect enum SettingValue: Hashable, Sendable {
    /// One text; `isPlain` tells that it was written without quotes, so that `3` may be a number and `true` a truth.
    case scalar(String, isPlain: Bool)
    /// A list.
    case list([SettingValue])
    /// Keys and values in the order in which they are written.
    case keys([Pair])

    /// One key with its value.
    public struct Pair: Hashable, Sendable {
        /// The key.
        public var key: String
        /// Its value.
        public var value: SettingValue
        /// A pair from its parts.
        public init(_ key: String, _ value: SettingValue) {
            self.key = key
            self.value = value
        }
    }

    /// Text that means itself.
    public static func text(_ text: String) -> SettingValue { .scalar(text, isPlain: false) }

    /// How a message names this kind of value.
    public var kind: String {
        switch self {
        case .scalar(let text, _): "the text \"\(text)\""
        case .list: "a list"
        case .keys: "keys and values"
        }
    }

    /// Whether it is this text, or holds it as an element or a value.
    public func mentions(_ text: String) -> Bool {
        switch self {
        case .scalar(let own, _): own == text
        case .list(let elements): elements.contains { $0.mentions(text) }
        case .keys(let pairs): pairs.contains { $0.value.mentions(text) }
        }
    }

    /// For a table: `quiet splash`, `/tmp (tmpfs)`; lists of texts between blanks, keys as `key=value`.
    public var words: String {
        switch self {
        case .scalar(let text, _): text
        case .list(let elements): elements.isEmpty ? "none" : elements.map(\.words).joined(separator: separator)
        case .keys(let pairs): pairs.map { "\($0.key)=\($0.value.words)" }.joined(separator: " ")
        }
    }

    private var separator: String {
        guard case .list(let elements) = self, elements.contains(where: { if case .keys = $0 { true } else { false } })
        else { return " " }
        return ", "
    }
}

extension SettingValue: Codable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// From JSON; the keys of an object come sorted, for JSON does not keep their order.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.singleValueContainer() {
            if let text = try? container.decode(String.self) {
                self = .text(text)
                return
            }
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [SettingValue] = []
            while !container.isAtEnd { elements.append(try container.decode(SettingValue.self)) }
            self = .list(elements)
            return
        }
        if let container = try? decoder.singleValueContainer() {
            if let number = try? container.decode(Int.self) {
                self = .scalar(String(number), isPlain: true)
                return
            }
            if let truth = try? container.decode(Bool.self) {
                self = .scalar(String(truth), isPlain: true)
                return
            }
        }
        let container = try decoder.container(keyedBy: Key.self)
        let keys = container.allKeys.sorted { $0.stringValue < $1.stringValue }
        self = .keys(try keys.map { Pair($0.stringValue, try container.decode(SettingValue.self, forKey: $0)) })
    }

    /// As JSON: plain numbers and truths as such, all other text as strings.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .scalar(let text, let isPlain):
            var container = encoder.singleValueContainer()
            switch isPlain ? VariableValue(plain: text) : .text(text) {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .truth(let truth): try container.encode(truth)
            }
        case .list(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .keys(let pairs):
            var container = encoder.container(keyedBy: Key.self)
            for pair in pairs { try container.encode(pair.value, forKey: Key(stringValue: pair.key)) }
        }
    }
}
