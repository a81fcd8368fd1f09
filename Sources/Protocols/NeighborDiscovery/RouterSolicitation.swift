import ByteCoding
public import NetworkTypes

/// "Is there a router?" (RFC 4861 section 4.1), as the body of an ICMPv6 message.
///
///     type 133 | code 0 | checksum | reserved, 4 bytes | options: type, length in 8 bytes, value
public struct RouterSolicitation: Hashable, Sendable {
    /// The ICMPv6 type.
    public static let type: UInt8 = 133
    /// The sender's hardware address, when it says (option 1).
    public var sourceLinkLayerAddress: MACAddress?

    /// A solicitation from its parts.
    public init(sourceLinkLayerAddress: MACAddress? = nil) { self.sourceLinkLayerAddress = sourceLinkLayerAddress }

    /// Decodes an ICMPv6 message from its type on; the kernel has checked the checksum.
    ///
    /// Options that are not known here are stepped over; one of length 0 or over the end is refused, as RFC 4861
    /// section 6.1.1 wants.
    public init(decoding bytes: Span<UInt8>) throws(NeighborDiscoveryError) {
        var reader = ByteReader(bytes)
        sourceLinkLayerAddress = nil
        do {
            let type = try reader.readUInt8()
            guard type == Self.type else { throw NeighborDiscoveryError.unexpectedType(type) }
            guard try reader.readUInt8() == 0 else { throw NeighborDiscoveryError.malformed }
            try reader.skip(6)
            while !reader.isAtEnd {
                let option = try reader.readUInt8()
                let length = Int(try reader.readUInt8()) * 8
                guard length > 0 else { throw NeighborDiscoveryError.malformed }
                let value = try reader.readBytes(length - 2)
                if option == 1, sourceLinkLayerAddress == nil {
                    sourceLinkLayerAddress = MACAddress(bytes: value.prefix(6))
                }
            }
        } catch let error as NeighborDiscoveryError {
            throw error
        } catch {
            throw .malformed
        }
    }

    /// The sender's hardware address: its own word, else what its link-local address was made from (EUI-64).
    ///
    /// `source` is the 16 bytes of the IPv6 source address.
    public func sender(source: [UInt8]) -> MACAddress? {
        if let sourceLinkLayerAddress { return sourceLinkLayerAddress }
        guard source.count == 16, source[0] == 0xfe, source[1] & 0xc0 == 0x80, source[11] == 0xff, source[12] == 0xfe
        else { return nil }
        return MACAddress(bytes: [source[8] ^ 2, source[9], source[10], source[13], source[14], source[15]])
    }
}

/// Why bytes are not the message that was expected.
public enum NeighborDiscoveryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another kind of ICMPv6 message.
    case unexpectedType(UInt8)
    /// Cut off, or an option of length 0.
    case malformed

    /// For a log line.
    public var description: String {
        switch self {
        case .unexpectedType(let type): "ICMPv6 type \(type)"
        case .malformed: "malformed neighbor discovery message"
        }
    }
}

extension RouterSolicitation {
    /// What a fuzz target calls.
    public static func fuzz(_ bytes: Span<UInt8>) {
        guard let message = try? RouterSolicitation(decoding: bytes) else { return }
        var source: [UInt8] = []
        for index in 0..<min(16, bytes.count) { source.append(bytes[index]) }
        _ = message.sender(source: source)
    }
}
