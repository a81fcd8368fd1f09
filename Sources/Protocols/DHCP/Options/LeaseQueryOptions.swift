public import NetworkTypes

extension DHCPOption {
    /// Option 91: how many seconds ago a lease was given or renewed (RFC 4388 section 6.1).
    public static func lastTransaction(seconds: UInt32) -> DHCPOption { DHCPOption(.lastTransaction, seconds) }
    /// Option 92: further addresses of the machine (RFC 4388 section 6.1).
    public static func associatedAddresses(_ addresses: [IPv4Address]) -> DHCPOption {
        DHCPOption(.associatedAddresses, addresses.flatMap(\.bytes))
    }
}
