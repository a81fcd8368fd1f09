extension DHCPMessage {
    /// For how many seconds an address is given, or wanted (option 51, RFC 2132 section 9.2).
    public func leaseTime() throws(DHCPOptionError) -> UInt32? { try number(.leaseTime, UInt32.self) }
    /// After how many seconds the client renews (option 58, RFC 2132 section 9.11).
    public func renewalTime() throws(DHCPOptionError) -> UInt32? { try number(.renewalTime, UInt32.self) }
    /// After how many seconds the client asks any server (option 59, RFC 2132 section 9.12).
    public func rebindingTime() throws(DHCPOptionError) -> UInt32? { try number(.rebindingTime, UInt32.self) }
}

extension DHCPOption {
    /// Option 51, in seconds.
    public static func leaseTime(_ seconds: UInt32) -> DHCPOption { DHCPOption(.leaseTime, seconds) }
    /// Option 58, in seconds.
    public static func renewalTime(_ seconds: UInt32) -> DHCPOption { DHCPOption(.renewalTime, seconds) }
    /// Option 59, in seconds.
    public static func rebindingTime(_ seconds: UInt32) -> DHCPOption { DHCPOption(.rebindingTime, seconds) }
}
