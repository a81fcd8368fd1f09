public import NetworkTypes

/// What makes a sleeping network card power its machine on (AMD publication 20213, "Magic Packet Technology").
public struct MagicPacket: Hashable, Sendable {
    /// The UDP port that such packets usually go to; the card looks at no port.
    public static let port: UInt16 = 9

    /// Whom it wakes.
    public var mac: MACAddress
    /// The card's SecureOn password: 6 bytes, or 4; nil for none.
    public var password: [UInt8]?

    /// A packet for one card.
    public init(_ mac: MACAddress, password: [UInt8]? = nil) {
        self.mac = mac
        self.password = password
    }

    /// Six bytes of 0xFF, the hardware address sixteen times, the password.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: 6)
        for _ in 0..<16 { bytes += mac.bytes }
        return bytes + (password ?? [])
    }

    /// Reads a SecureOn password as people write it: `01:02:03:04:05:06`, or `192.168.1.2`; nil for anything else.
    public static func password(_ text: String) -> [UInt8]? {
        if let address = IPv4Address(text) {
            return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: address.value >> $0) }
        }
        return MACAddress(text)?.bytes
    }
}
