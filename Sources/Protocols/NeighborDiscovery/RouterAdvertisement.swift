import ByteCoding

/// A router's answer (RFC 4861 section 4.2), as the body of an ICMPv6 message.
///
///     type 134 | code 0 | checksum | hop limit | M O flags | router lifetime, s | reachable, ms | retransmit, ms
///
/// Only the empty one is needed: no router, no prefix. It tells iPXE that there is nothing to wait for, which
/// otherwise takes 13 s in every iPXE of 2019 (`ipv6_autoconf` before the IPv4 lease is used).
public struct RouterAdvertisement: Hashable, Sendable {
    /// The ICMPv6 type.
    public static let type: UInt8 = 134
    /// What nodes shall write into their packets.
    public var hopLimit: UInt8
    /// For how many seconds the sender is a router; 0: it is none.
    public var routerLifetime: UInt16

    /// The advertisement that changes nothing.
    public static let empty = RouterAdvertisement(hopLimit: 255, routerLifetime: 0)

    /// An advertisement without options.
    public init(hopLimit: UInt8, routerLifetime: UInt16) {
        self.hopLimit = hopLimit
        self.routerLifetime = routerLifetime
    }

    /// The 16 bytes of the ICMPv6 message; the checksum is zero, as the kernel fills it in on raw sockets.
    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.writeUInt8(Self.type)
        writer.writeZeros(3)
        writer.writeUInt8(hopLimit)
        writer.writeUInt8(0)
        writer.writeUInt16(routerLifetime)
        writer.writeZeros(8)
        return writer.bytes
    }
}
