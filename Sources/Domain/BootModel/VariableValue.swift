/// The value of a variable that overlay file templates read.
public enum VariableValue: Hashable, Sendable {
    /// Text; also a number that was written in quotes, or with leading zeros or a fraction.
    case text(String)
    /// A whole number.
    case number(Int)
    /// `true` or `false`.
    case truth(Bool)

    /// What text without quotes means.
    public init(plain text: String) {
        if text == "true" || text == "false" {
            self = .truth(text == "true")
        } else if let number = Int(text), String(number) == text {
            self = .number(number)
        } else {
            self = .text(text)
        }
    }
}

extension VariableValue: SettingCodable, CustomStringConvertible {
    /// From one value.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .scalar(let text, let isPlain) = value else {
            throw SettingError("is one value (text, a number, true or false), here stands \(value.kind)")
        }
        self = isPlain ? VariableValue(plain: text) : .text(text)
    }

    /// As it is written: numbers and truths plain.
    public var setting: SettingValue {
        if case .text(let text) = self { .text(text) } else { .scalar(description, isPlain: true) }
    }

    /// As a template puts it in.
    public var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        case .truth(let truth): String(truth)
        }
    }
}

/// The name of a variable: a letter or underscore, then letters, digits and underscores, 63 at most.
///
/// No dots or dashes: templates take dots for a path, and shells take neither.
public struct VariableName: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// The name as written.
    public let text: String

    /// From a name that keeps the rules; else nil.
    public init?(_ description: String) {
        func isLetter(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x41...0x5a, 0x61...0x7a, 0x5f: true
            default: false
            }
        }
        guard let first = description.utf8.first, isLetter(first), description.utf8.count <= 63,
            description.utf8.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) })
        else { return nil }
        text = description
    }

    /// The name as written.
    public var description: String { text }
    /// In the order of the text.
    public static func < (left: VariableName, right: VariableName) -> Bool { left.text < right.text }
}

extension Dictionary: SettingCodable where Key == VariableName, Value == VariableValue {
    /// From keys and values.
    public init(setting value: SettingValue) throws(SettingError) {
        guard case .keys(let pairs) = value else {
            throw SettingError("are keys and values such as {seat: 3}, here stands \(value.kind)")
        }
        self = [:]
        for pair in pairs {
            guard let name = VariableName(pair.key) else {
                throw SettingError(
                    "\"\(pair.key)\" is not a variable name: use letters, digits and underscores, no digit first"
                ).inside(.name(pair.key))
            }
            do {
                self[name] = try VariableValue(setting: pair.value)
            } catch {
                throw error.inside(.key(pair.key))
            }
        }
    }

    /// The variables by name.
    public var setting: SettingValue {
        .keys(sorted { $0.key < $1.key }.map { SettingValue.Pair($0.key.text, $0.value.setting) })
    }
}
