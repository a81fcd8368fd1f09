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
    public var dashed: String { text(separator: UInt8(ascii: "-")) }

    /// Twelve lower-case hexadecimal digits without separators: `525400123456`.
    public var hexadecimal: String { text(separator: nil) }

    /// Written digit by digit: this text is made several times for each DHCP message.
    private func text(separator: UInt8?) -> String {
        unsafe String(unsafeUninitializedCapacity: 17) { room in
            var count = 0
            for index in 0..<12 {
                if let separator, index > 0, index % 2 == 0 {
                    unsafe room[count] = separator
                    count += 1
                }
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(44 - 4 * index)) & 0xf
                unsafe room[count] = digit + (digit < 10 ? 0x30 : 0x57)
                count += 1
            }
            return count
        }
    }

    /// By numeric value.
    public static func < (left: MACAddress, right: MACAddress) -> Bool { left.value < right.value }
}

extension MACAddress: LosslessStringConvertible {
    /// With colons, lower case: `52:54:00:12:34:56`.
    public init?(_ description: String) { self.init(description[...]) }
    /// With colons, lower case: `52:54:00:12:34:56`.
    public var description: String { text(separator: UInt8(ascii: ":")) }
}

extension MACAddress: Codable {
    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "MAC address") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
