public import NetworkTypes

/// Why a name was refused, with the rule it broke.
public struct InvalidName: Error, Equatable, Sendable, CustomStringConvertible {
    /// The refused text.
    public var text: String
    /// What the text should have named: "node" or "image".
    public var kind: String
    /// One line for a person.
    public var description: String {
        if kind == UserName.kind { return "\"\(text)\" is not \(UserName.form)" }
        return
            "\"\(text)\" is not \("aeiou".contains(kind.first ?? "x") ? "an" : "a") \(kind) name: use 1 to 63 letters, digits, dots or dashes, with a letter or digit at both ends"
            + (kind == NodeName.kind && text.contains("_") ? "; it is also a host name, so no underscores" : "")
    }
}

/// A name that is one word everywhere: in files, URLs, host names and on the command line.
///
/// 1 to 63 ASCII letters, digits, `-`, `_` or `.`, beginning and ending with a letter or digit, compared as written.
public protocol Name: Hashable, Sendable, Comparable, Codable, LosslessStringConvertible {
    /// What it names, for messages: "node" or "image".
    static var kind: String { get }
    /// Whether it must also do as a host name.
    static var isHostName: Bool { get }
    /// The name as written.
    var text: String { get }
    /// From text that has already been checked.
    init(checked text: String)
}

extension Name {
    /// Most names are no host names.
    public static var isHostName: Bool { false }

    /// The name, or an error that says which rule it breaks.
    public init(validating text: some StringProtocol) throws(InvalidName) {
        guard let name = Self(String(text)) else { throw InvalidName(text: String(text), kind: Self.kind) }
        self = name
    }

    /// The name when it follows the rules, else nil.
    public init?(_ description: String) {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: false
            }
        }
        guard (1...63).contains(description.utf8.count) else { return nil }
        var previous: UInt8 = 0
        var isFirst = true
        for byte in description.utf8 {
            let isMark = byte == 0x2d || byte == 0x5f || (byte == 0x2e && previous != 0x2e)
            guard isAlphanumeric(byte) || (isMark && !isFirst) else { return nil }
            previous = byte
            isFirst = false
        }
        guard isAlphanumeric(previous) else { return nil }
        if Self.isHostName, description.contains("_") || description.contains(".-") || description.contains("-.") {
            return nil
        }
        self.init(checked: description)
    }

    /// The name as written.
    public var description: String { text }

    /// In the order of the text.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    /// From a string, refused with the rule it breaks.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let name = Self(text) else {
            let problem = InvalidName(text: text, kind: Self.kind)
            throw DecodingError.dataCorruptedError(in: container, debugDescription: problem.description)
        }
        self = name
    }

    /// As a string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// The name of a node; also its host name.
///
/// So each part between dots keeps the rules of RFC 1123 §2.1 too: systemd calls a machine whose name has an underscore
/// `localhost`.
public struct NodeName: Name {
    /// For messages.
    public static let kind = "node"
    /// It must.
    public static let isHostName = true
    /// The name as written.
    public let text: String
    /// From checked text.
    public init(checked text: String) { self.text = text }

    /// The name given to a machine that nobody has named: `node-525400123456`.
    public init(unknown mac: MACAddress) {
        self.init(checked: "node-" + mac.hexadecimal)
    }
}

/// The name of a profile: settings that nodes share.
public struct ProfileName: Name {
    /// For messages.
    public static let kind = "profile"
    /// The name as written.
    public let text: String
    /// From checked text.
    public init(checked text: String) { self.text = text }
    /// The profile whose settings every node falls back to.
    public static let `default` = ProfileName(checked: "default")
}

/// The name of a network that we serve.
public struct NetworkName: Name {
    /// For messages.
    public static let kind = "network"
    /// The name as written.
    public let text: String
    /// From checked text.
    public init(checked text: String) { self.text = text }
}

/// The name of an image, over all its versions.
public struct ImageName: Name {
    /// For messages.
    public static let kind = "image"
    /// The name as written.
    public let text: String
    /// From checked text.
    public init(checked text: String) { self.text = text }
}

/// The name of a set of overlay files.
public struct OverlaySetName: Name {
    /// For messages.
    public static let kind = "overlay set"
    /// The name as written.
    public let text: String
    /// The set that comes first on every node, named or not.
    public static let base = OverlaySetName(checked: "base")
    /// From checked text.
    public init(checked text: String) { self.text = text }
}

/// The name under which a person logs in to nodes: a lower-case letter or underscore, then lower-case letters, digits,
/// `_` and `-`, 32 characters at most, as `useradd` wants it.
public struct UserName: Name {
    /// For messages.
    public static let kind = "user"
    /// The name as written.
    public let text: String
    /// From checked text.
    public init(checked text: String) { self.text = text }

    /// The name when it follows the rules, else nil.
    public init?(_ description: String) {
        let bytes = description.utf8
        guard (1...32).contains(bytes.count), let first = bytes.first, first == 0x5f || (0x61...0x7a).contains(first),
            bytes.allSatisfy({ byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7a, 0x5f, 0x2d: true
                default: false
                }
            })
        else { return nil }
        self.init(checked: description)
    }
}

extension OverlaySetName: SettingText {
    /// For messages.
    public static var form: String { "the name of an overlay set: 1 to 63 letters, digits, dots or dashes" }
}

extension UserName: SettingText {
    /// For messages.
    public static var form: String {
        "a user name: lower-case letters, digits, _ and -, a letter first, 32 characters at most"
    }
}
