public import NetworkTypes

/// A value that a setting cannot take: what is wrong, and where in the value.
public struct SettingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One step from a value into its parts.
    public enum Step: Hashable, Sendable {
        /// The element of a list, from 0.
        case index(Int)
        /// The value of a key.
        case key(String)
        /// The key itself.
        case name(String)
    }

    /// Where, from the setting's value inwards.
    public var path: [Step]
    /// What is wrong and how to mend it, after the name of what is meant: `"x" is not a size such as 512M`.
    public var message: String

    /// An error about the value at hand.
    public init(_ message: String) {
        path = []
        self.message = message
    }

    /// The same error, seen from one level further out.
    public func inside(_ step: Step) -> SettingError {
        var error = self
        error.path.insert(step, at: 0)
        return error
    }

    /// The message after the innermost key that it is about, else after `name`; a key's own problem needs no name.
    public func text(under name: String) -> String {
        if case .name? = path.last { return message }
        let inner = path.last { if case .key = $0 { true } else { false } }
        if case .key(let key)? = inner { return "\(key) \(message)" }
        return "\(name) \(message)"
    }

    /// The message.
    public var description: String { message }
}

/// A type that a setting may have.
public protocol SettingCodable: Hashable, Sendable {
    /// From what stands under a key.
    ///
    /// Throws what is wrong with it and where.
    init(setting value: SettingValue) throws(SettingError)
    /// What is written under the key.
    var setting: SettingValue { get }
}

/// A type that is written as one text.
public protocol SettingText: SettingCodable, LosslessStringConvertible {
    /// What it looks like, for messages: "an IPv4 address".
    static var form: String { get }
}

extension SettingText {
    /// From one text.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .scalar(let text, _) = value else { throw SettingError("is one value, here stands \(value.kind)") }
        guard let parsed = Self(text) else { throw SettingError("\"\(text)\" is not \(Self.form)") }
        self = parsed
    }

    /// Its text.
    public var setting: SettingValue { .text(description) }
}

/// A type that is one of a few words.
public protocol SettingWord: SettingCodable, CaseIterable, RawRepresentable<String> {}

extension SettingWord {
    /// From one of its words.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .scalar(let text, _) = value else { throw SettingError("is one word, here stands \(value.kind)") }
        guard let parsed = Self(rawValue: text) else {
            let words = Self.allCases.map(\.rawValue)
            let nearest = NearestName.of(text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
            throw SettingError("\"\(text)\" is not one of \(words.joined(separator: ", "))\(nearest)")
        }
        self = parsed
    }

    /// The word.
    public var setting: SettingValue { .text(rawValue) }
}

extension String: SettingCodable {
    /// From one text.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .scalar(let text, _) = value else { throw SettingError("is one value, here stands \(value.kind)") }
        self = text
    }
    /// The text.
    public var setting: SettingValue { .text(self) }
}

extension Array: SettingCodable where Element: SettingCodable {
    /// From a list; what stands alone is a list of one.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .list(let elements) = value else {
            self = [try Element(setting: value)]
            return
        }
        self = []
        reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do {
                append(try Element(setting: element))
            } catch {
                throw error.inside(.index(index))
            }
        }
    }
    /// The list.
    public var setting: SettingValue { .list(map(\.setting)) }
}

extension IPv4Address: SettingText {
    /// For messages.
    public static var form: String { "an IPv4 address" }
}

extension ImageReference: SettingText {
    /// For messages.
    public static var form: String { "an image: write debian, debian@7 or debian:tag" }
}

extension RootVia: SettingWord {}
extension RootWrites: SettingWord {}

/// Reads the keys of a value that has several.
struct SettingKeys {
    private let pairs: [SettingValue.Pair]
    private let what: String

    /// The keys of `value`, which is a `what` ("mount"); unknown ones are refused with the nearest known.
    init(_ value: SettingValue, of what: String, known: [String]) throws(SettingError) {
        guard case .keys(let pairs) = value else {
            throw SettingError("is a list of keys and values such as {\(known[0]): …}, here stands \(value.kind)")
        }
        for pair in pairs where !known.contains(pair.key) {
            let mend =
                NearestName.of(pair.key, among: known).map { "did you mean \"\($0)\"?" }
                ?? "known keys: \(known.joined(separator: ", "))"
            throw SettingError("unknown key \"\(pair.key)\" of a \(what); \(mend)").inside(.name(pair.key))
        }
        self.pairs = pairs
        self.what = what
    }

    /// Whether a key is there.
    func has(_ key: String) -> Bool { pairs.contains { $0.key == key } }

    /// The value of a key; nil when it is not there.
    func optional<Value: SettingCodable>(_ key: String) throws(SettingError) -> Value? {
        guard let pair = pairs.last(where: { $0.key == key }) else { return nil }
        do {
            return try Value(setting: pair.value)
        } catch {
            throw error.inside(.key(key))
        }
    }

    /// The value of a key that must be there.
    func required<Value: SettingCodable>(_ key: String) throws(SettingError) -> Value {
        guard let value: Value = try optional(key) else { throw SettingError("needs \"\(key)\" for a \(what)") }
        return value
    }
}
