/// An absolute path on a node, other than `/` itself: no empty, `.` or `..` part, no control characters, no slash at
/// the end.
public struct NodePath: Hashable, Sendable, Comparable, SettingText {
    /// The path as written.
    public let text: String

    /// For messages.
    public static var form: String { "an absolute path such as /var/lib, without . or .. and no slash at the end" }

    /// From text that is known to keep the rules.
    init(checked text: String) { self.text = text }

    /// From text that keeps the rules; else nil.
    public init?(_ description: String) {
        guard description.hasPrefix("/"), (2...4095).contains(description.utf8.count),
            !description.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
            description.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ part in
                (1...255).contains(part.utf8.count) && part != "." && part != ".."
            })
        else { return nil }
        text = description
    }

    /// The path as written.
    public var description: String { text }

    /// Whether it is `other` or lies below it.
    public func isInside(_ other: NodePath) -> Bool { text == other.text || text.hasPrefix(other.text + "/") }

    /// In the order of the text: a directory before what lies in it.
    public static func < (left: NodePath, right: NodePath) -> Bool { left.text < right.text }
}

/// A number of bytes, written as `512M` or `4G` (powers of 1024).
public struct ByteCount: Hashable, Sendable, Comparable, SettingText {
    /// How many.
    public let bytes: Int64

    /// For messages.
    public static var form: String { "a size such as 512M or 4G" }

    private static let units: [(letter: Character, bytes: Int64)] = [
        ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10),
    ]

    /// A count; nil unless it lies between 1 and 2^60.
    public init?(bytes: Int64) {
        guard bytes > 0, bytes <= 1 << 60 else { return nil }
        self.bytes = bytes
    }

    /// From digits and an optional K, M, G or T, alone or as `MiB`; else nil.
    public init?(_ description: String) {
        var digits = description[...]
        if digits.hasSuffix("iB") { digits = digits.dropLast(2) }
        var factor: Int64 = 1
        if let last = digits.last, let unit = Self.units.first(where: { $0.letter == last }) {
            factor = unit.bytes
            digits.removeLast()
        } else if digits.endIndex != description.endIndex {
            return nil
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(digits) else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.init(bytes: bytes)
    }

    /// In the largest unit that divides it.
    public var description: String {
        for unit in Self.units where bytes.isMultiple(of: unit.bytes) { return "\(bytes / unit.bytes)\(unit.letter)" }
        return String(bytes)
    }

    /// The smaller first.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

/// The permissions of a file or directory: `755`, `1777`.
public struct FileMode: Hashable, Sendable, SettingText {
    /// The lower twelve bits of `st_mode`.
    public let bits: UInt16

    /// For messages.
    public static var form: String { "permissions in octal digits such as 755 or 1777" }

    /// From the bits; nil above 0o7777.
    public init?(bits: UInt16) {
        guard bits <= 0o7777 else { return nil }
        self.bits = bits
    }

    /// From three to five octal digits (a leading 0 may stand); else nil.
    public init?(_ description: String) {
        guard (3...5).contains(description.utf8.count), description.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let bits = UInt16(description, radix: 8)
        else { return nil }
        self.init(bits: bits)
    }

    /// At least three octal digits.
    public var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}
