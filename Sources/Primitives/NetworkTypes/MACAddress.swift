/// The 48-bit hardware address of an Ethernet interface (EUI-48), by which a node is known first.
public struct MACAddress: Hashable, Sendable, Comparable {
    /// The address in the low 48 bits.
    public let value: UInt64

    /// From the low 48 bits of `value`; higher bits are dropped.
    public init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// From exactly six bytes, else nil.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.init(value: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// From six pairs of hexadecimal digits joined by `:` or `-`, or twelve digits without separators; else nil.
    public init?(_ text: some StringProtocol) {
        let digits: String
        if text.contains(":") || text.contains("-") {
            let separator: Character = text.contains(":") ? ":" : "-"
            let parts = text.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.count == 6, parts.allSatisfy({ $0.count == 1 || $0.count == 2 }) else { return nil }
            digits = parts.map { $0.count == 1 ? "0\($0)" : String($0) }.joined()
        } else {
            digits = String(text)
        }
        guard digits.utf8.count == 12, digits.allSatisfy(\.isHexDigit), let value = UInt64(digits, radix: 16) else {
            return nil
        }
        self.init(value: value)
    }

    /// The six bytes in the order they are sent.
    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> UInt64(40 - 8 * $0)) } }

    /// Whether the group bit is set (multicast or broadcast): never the address of one node.
    public var isMulticast: Bool { value >> 40 & 1 == 1 }

    /// With dashes, as PXELINUX (`01-52-54-…`) and our own URLs write it: `52-54-00-12-34-56`.
    public var dashed: String { text(separator: "-") }

    private func text(separator: String) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: separator)
    }

    /// By numeric value.
    public static func < (left: MACAddress, right: MACAddress) -> Bool { left.value < right.value }
}

extension MACAddress: LosslessStringConvertible {
    /// With colons, lower case: `52:54:00:12:34:56`.
    public init?(_ description: String) { self.init(description[...]) }
    /// With colons, lower case: `52:54:00:12:34:56`.
    public var description: String { text(separator: ":") }
}

extension MACAddress: Codable {
    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "MAC address") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
