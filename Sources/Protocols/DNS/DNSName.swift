public import NetworkTypes

/// A domain name (RFC 1035 §3.1): labels of 1 to 63 bytes, 255 bytes in all.
///
/// Kept as it came, compared without regard to the case of ASCII letters (RFC 4343).
public struct DNSName: Sendable {
    /// The uncompressed wire form: each label with its length before it, a zero byte at the end.
    public let wire: [UInt8]

    /// From the uncompressed wire form, which the caller has checked.
    init(checked wire: [UInt8]) { self.wire = wire }

    /// The name of no labels.
    public static let root = DNSName(checked: [0])

    /// The longest wire form in bytes (RFC 1035 §2.3.4).
    public static let lengthLimit = 255

    /// From labels, the leftmost first; nil when one has not 1 to 63 bytes or all are too long.
    public init?(labels: some Sequence<some Collection<UInt8>>) {
        var wire: [UInt8] = []
        for label in labels {
            guard (1...63).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            wire.append(contentsOf: label)
        }
        guard wire.count < Self.lengthLimit else { return nil }
        self.wire = wire + [0]
    }

    /// The labels, the leftmost first.
    public var labels: [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var position = 0
        while wire[position] != 0 {
            let next = position + 1 + Int(wire[position])
            result.append(wire[position + 1..<next])
            position = next
        }
        return result
    }

    /// The name without its leftmost label; nil for the root.
    public var parent: DNSName? {
        wire[0] == 0 ? nil : DNSName(checked: Array(wire[(1 + Int(wire[0]))...]))
    }

    /// How many labels it has.
    public var labelCount: Int {
        var count = 0
        var position = 0
        while wire[position] != 0 {
            count += 1
            position += 1 + Int(wire[position])
        }
        return count
    }

    /// Whether this is `ancestor` or a name below it.
    public func isWithin(_ ancestor: DNSName) -> Bool {
        var position = 0
        let extra = wire.count - ancestor.wire.count
        while position < extra, wire[position] != 0 { position += 1 + Int(wire[position]) }
        guard position == extra else { return false }
        return zip(wire[position...], ancestor.wire).allSatisfy { Self.fold($0) == Self.fold($1) }
    }

    /// This name with the labels of `suffix` after its own; nil when that is too long.
    public func appending(_ suffix: DNSName) -> DNSName? {
        guard wire.count - 1 + suffix.wire.count <= Self.lengthLimit else { return nil }
        return DNSName(checked: wire.dropLast() + suffix.wire)
    }

    @inline(__always) static func fold(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

extension DNSName: Hashable {
    /// Without regard to case.
    public static func == (left: DNSName, right: DNSName) -> Bool {
        guard left.wire.count == right.wire.count else { return false }
        return left.wire == right.wire || zip(left.wire, right.wire).allSatisfy { fold($0) == fold($1) }
    }

    /// Without regard to case.
    public func hash(into hasher: inout Hasher) {
        // Eight bytes at a time: this runs for every question.
        var word: UInt64 = 0
        for (index, byte) in wire.enumerated() {
            word = word << 8 | UInt64(Self.fold(byte))
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
    }
}

extension DNSName: LosslessStringConvertible {
    /// From labels joined by dots, with or without a dot at the end; `\.` and `\DDD` stand for bytes (RFC 1035 §5.1).
    ///
    /// Nil when malformed; the empty text is none, `.` is the root.
    public init?(_ description: String) {
        guard description != "." else {
            self = .root
            return
        }
        var labels: [[UInt8]] = [[]]
        var bytes = description.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "."): labels.append([])
            case UInt8(ascii: "\\"):
                guard let first = bytes.next() else { return nil }
                guard (0x30...0x39).contains(first) else {
                    labels[labels.count - 1].append(first)
                    continue
                }
                guard let second = bytes.next(), let third = bytes.next(),
                    let value = UInt8(String(decoding: [first, second, third], as: UTF8.self))
                else { return nil }
                labels[labels.count - 1].append(value)
            default: labels[labels.count - 1].append(byte)
            }
        }
        if labels.last?.isEmpty == true { labels.removeLast() }
        guard !labels.isEmpty else { return nil }
        self.init(labels: labels)
    }

    /// Labels joined by dots, a dot at the end; bytes that are not printable as `\DDD`.
    public var description: String {
        guard wire.count > 1 else { return "." }
        var text = ""
        for label in labels {
            for byte in label {
                switch byte {
                case UInt8(ascii: "."), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
                case 0x21...0x7e: text.unicodeScalars.append(UnicodeScalar(byte))
                default:
                    let digits = String(byte)
                    text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
            text += "."
        }
        return text
    }
}

extension DNSName {
    /// The name under which an address has its PTR record: `1.0.0.10.in-addr.arpa.` (RFC 1035 §3.5).
    public init(reverseOf address: IPv4Address) {
        let labels = address.bytes.reversed().map { Array(String($0).utf8) } + Self.reverseLabels
        self = DNSName(labels: labels) ?? .root
    }

    /// The address whose PTR name this is; nil for other names.
    public var reversedAddress: IPv4Address? {
        let labels = labels
        guard labels.count == 6, isWithin(Self.reverseRoot) else { return nil }
        return IPv4Address(labels[..<4].reversed().map { String(decoding: $0, as: UTF8.self) }.joined(separator: "."))
    }

    /// The name `in-addr.arpa`, below which every address has its PTR record.
    public static let reverseRoot = DNSName(labels: reverseLabels) ?? .root
    private static let reverseLabels = [Array("in-addr".utf8), Array("arpa".utf8)]
}
