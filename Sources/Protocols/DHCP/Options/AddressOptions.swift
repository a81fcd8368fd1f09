public import NetworkTypes

extension DHCPMessage {
    /// One address; nil when absent.
    func address(_ code: DHCPOptionCode) throws(DHCPOptionError) -> IPv4Address? {
        try number(code, UInt32.self).map(IPv4Address.init(value:))
    }

    /// A list of one or more addresses; nil when absent.
    func addresses(_ code: DHCPOptionCode) throws(DHCPOptionError) -> [IPv4Address]? {
        guard let value = joined(code) else { return nil }
        guard !value.isEmpty, value.count % 4 == 0 else {
            throw DHCPOptionError(code, "\(value.count) bytes are not a list of addresses")
        }
        return stride(from: 0, to: value.count, by: 4).compactMap { IPv4Address(bytes: value[$0..<$0 + 4]) }
    }

    /// The address the client wants (option 50, RFC 2132 section 9.1).
    public func requestedAddress() throws(DHCPOptionError) -> IPv4Address? { try address(.requestedAddress) }
    /// Which server speaks, or is spoken to (option 54, RFC 2132 section 9.7).
    public func serverIdentifier() throws(DHCPOptionError) -> IPv4Address? { try address(.serverIdentifier) }
    /// The netmask (option 1, RFC 2132 section 3.3).
    public func subnetMask() throws(DHCPOptionError) -> IPv4Address? { try address(.subnetMask) }
    /// The subnet's broadcast address (option 28, RFC 2132 section 5.3).
    public func broadcastAddress() throws(DHCPOptionError) -> IPv4Address? { try address(.broadcastAddress) }
    /// The subnet to choose an address from (option 118, RFC 3011).
    public func subnetSelection() throws(DHCPOptionError) -> IPv4Address? { try address(.subnetSelection) }
    /// Routers, the preferred first (option 3, RFC 2132 section 3.5).
    public func routers() throws(DHCPOptionError) -> [IPv4Address]? { try addresses(.routers) }
    /// Name servers, the preferred first (option 6, RFC 2132 section 3.8).
    public func nameServers() throws(DHCPOptionError) -> [IPv4Address]? { try addresses(.nameServers) }
    /// Time servers, the preferred first (option 42, RFC 2132 section 8.3).
    public func timeServers() throws(DHCPOptionError) -> [IPv4Address]? { try addresses(.timeServers) }
}

extension DHCPOption {
    private init(_ code: DHCPOptionCode, _ addresses: [IPv4Address]) {
        self.init(code, addresses.flatMap(\.bytes))
    }

    /// Option 50.
    public static func requestedAddress(_ address: IPv4Address) -> DHCPOption {
        DHCPOption(.requestedAddress, address.value)
    }
    /// Option 54.
    public static func serverIdentifier(_ address: IPv4Address) -> DHCPOption {
        DHCPOption(.serverIdentifier, address.value)
    }
    /// Option 1.
    public static func subnetMask(_ mask: IPv4Address) -> DHCPOption { DHCPOption(.subnetMask, mask.value) }
    /// Option 28.
    public static func broadcastAddress(_ address: IPv4Address) -> DHCPOption {
        DHCPOption(.broadcastAddress, address.value)
    }
    /// Option 3.
    public static func routers(_ addresses: [IPv4Address]) -> DHCPOption { DHCPOption(.routers, addresses) }
    /// Option 6.
    public static func nameServers(_ addresses: [IPv4Address]) -> DHCPOption { DHCPOption(.nameServers, addresses) }
    /// Option 42.
    public static func timeServers(_ addresses: [IPv4Address]) -> DHCPOption { DHCPOption(.timeServers, addresses) }
}
