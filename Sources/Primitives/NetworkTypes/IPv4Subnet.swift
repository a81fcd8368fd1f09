/// An IPv4 subnet: a network address and a prefix length (RFC 4632), written `10.0.0.0/24`.
public struct IPv4Subnet: Hashable, Sendable {
    /// The lowest address, host bits zero.
    public let address: IPv4Address
    /// How many leading bits are the network's, 0 to 32.
    public let prefixLength: Int

    /// The subnet of `prefixLength` bits that `address` lies in; nil when the length is not 0 to 32.
    public init?(containing address: IPv4Address, prefixLength: Int) {
        guard (0...32).contains(prefixLength) else { return nil }
        self.prefixLength = prefixLength
        self.address = IPv4Address(value: address.value & Self.maskValue(prefixLength))
    }

    private static func maskValue(_ length: Int) -> UInt32 { length == 0 ? 0 : UInt32.max << UInt32(32 - length) }

    /// The netmask, such as 255.255.255.0 (option 1).
    public var mask: IPv4Address { IPv4Address(value: Self.maskValue(prefixLength)) }

    /// The highest address: the subnet's directed broadcast.
    public var broadcast: IPv4Address { IPv4Address(value: address.value | ~mask.value) }

    /// Whether `other` lies in this subnet.
    public func contains(_ other: IPv4Address) -> Bool { other.value & mask.value == address.value }

    /// Whether `other` can be given to a machine: inside, and neither the network's nor the broadcast address.
    public func containsHost(_ other: IPv4Address) -> Bool {
        contains(other) && (prefixLength >= 31 || (other != address && other != broadcast))
    }
}

extension IPv4Subnet: LosslessStringConvertible, Codable {
    /// From `ADDRESS/LENGTH`; nil when malformed or when host bits are set.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            let subnet = IPv4Subnet(containing: address, prefixLength: length), subnet.address == address
        else { return nil }
        self = subnet
    }

    /// `ADDRESS/LENGTH`.
    public var description: String { "\(address)/\(prefixLength)" }

    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "subnet such as 10.0.0.0/24") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

/// An inclusive range of IPv4 addresses, written `10.0.0.128-10.0.0.254`: an address pool.
public struct IPv4Range: Hashable, Sendable {
    /// The lowest address.
    public let first: IPv4Address
    /// The highest address.
    public let last: IPv4Address

    /// From `first` to `last`; nil when `first` is above `last`.
    public init?(_ first: IPv4Address, _ last: IPv4Address) {
        guard first <= last else { return nil }
        self.first = first
        self.last = last
    }

    /// How many addresses it holds.
    public var count: Int { Int(last.value - first.value) + 1 }

    /// Whether `address` lies in it.
    public func contains(_ address: IPv4Address) -> Bool { first <= address && address <= last }

    /// Whether the two share an address.
    public func overlaps(_ other: IPv4Range) -> Bool { first <= other.last && other.first <= last }
}

extension IPv4Range: LosslessStringConvertible, Codable {
    /// From `FIRST-LAST`; nil when malformed.
    public init?(_ description: String) {
        let parts = description.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = IPv4Address(parts[0]), let last = IPv4Address(parts[1]) else { return nil }
        self.init(first, last)
    }

    /// `FIRST-LAST`.
    public var description: String { "\(first)-\(last)" }

    /// From its text form.
    public init(from decoder: any Decoder) throws {
        self = try decodeText(from: decoder, "range such as 10.0.0.128-10.0.0.254")
    }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
