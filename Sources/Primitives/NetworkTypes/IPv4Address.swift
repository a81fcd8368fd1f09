/// An IPv4 address (RFC 791).
public struct IPv4Address: Hashable, Sendable, Comparable {
    /// The address as a number, the first octet in the highest byte.
    public let value: UInt32

    /// From a number whose highest byte is the first octet.
    public init(value: UInt32) { self.value = value }

    /// From four octets.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        value = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// From exactly four bytes in network order, else nil.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        value = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// From dotted decimal with four parts of 0 to 255 without leading zeros; else nil.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let octet = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self.value = value
    }

    /// The four bytes in network order.
    public var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } }

    /// Eight upper-case hexadecimal digits, as PXELINUX names its files by address: `0A000001`.
    public var hexadecimal: String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// `0.0.0.0`: no address yet.
    public static let any = IPv4Address(value: 0)
    /// `255.255.255.255`: everybody on the wire.
    public static let broadcast = IPv4Address(value: .max)
    /// `127.0.0.1`.
    public static let loopback = IPv4Address(127, 0, 0, 1)

    /// Whether no address is meant.
    public var isAny: Bool { value == 0 }

    /// By numeric value.
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.value < right.value }
}

extension IPv4Address: LosslessStringConvertible {
    /// Dotted decimal.
    public init?(_ description: String) { self.init(description[...]) }
    /// Dotted decimal.
    public var description: String {
        unsafe String(unsafeUninitializedCapacity: 15) { room in
            var count = 0
            for index in 0..<4 {
                let octet = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index))
                if index > 0 {
                    unsafe room[count] = 0x2e
                    count += 1
                }
                for divisor: UInt8 in [100, 10, 1] where octet >= divisor || divisor == 1 {
                    unsafe room[count] = 0x30 + octet / divisor % 10
                    count += 1
                }
            }
            return count
        }
    }
}

extension IPv4Address: Codable {
    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "IPv4 address") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
