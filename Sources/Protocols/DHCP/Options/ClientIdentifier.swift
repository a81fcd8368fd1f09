/// Who the client says it is (option 61, RFC 2132 section 9.14, RFC 4361).
///
/// It differs between the ROM, the loader, the initramfs and the system of one machine, so it is a hint only: leases
/// belong to the hardware address.
public struct ClientIdentifier: Hashable, Sendable, CustomStringConvertible {
    /// The whole value; its first byte is a type: 1 Ethernet address, 0 a name or UUID, 255 a DUID.
    public var bytes: [UInt8]

    /// An identifier from its bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The type byte.
    public var type: UInt8 { bytes.first ?? 0 }

    /// Hexadecimal bytes.
    public var description: String { hexadecimal(bytes) }
}

extension DHCPMessage {
    /// Who the client says it is (option 61).
    ///
    /// RFC 2132 wants two bytes; one is accepted, as clients send it.
    public func clientIdentifier() throws(DHCPOptionError) -> ClientIdentifier? {
        guard let value = joined(.clientIdentifier) else { return nil }
        guard !value.isEmpty else { throw DHCPOptionError(.clientIdentifier, "empty") }
        return ClientIdentifier(bytes: value)
    }
}

extension DHCPOption {
    /// Option 61.
    public static func clientIdentifier(_ identifier: ClientIdentifier) -> DHCPOption {
        DHCPOption(.clientIdentifier, identifier.bytes)
    }
}
