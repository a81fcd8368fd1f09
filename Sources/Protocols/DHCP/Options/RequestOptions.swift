extension DHCPMessage {
    /// The options the client wants, in its order (option 55, RFC 2132 section 9.8).
    public func parameterRequestList() -> [DHCPOptionCode]? {
        joined(.parameterRequestList)?.map(DHCPOptionCode.init(rawValue:))
    }

    /// The longest IP datagram with a DHCP message that the client takes, in bytes (option 57, RFC 2132 section 9.10).
    public func maximumMessageSize() throws(DHCPOptionError) -> UInt16? { try number(.maximumMessageSize, UInt16.self) }

    /// The item that the user chose from a PXE menu: type and layer (option 71 within a request to port 4011, or
    /// sub-option 71 of option 43, PXE 2.1 section 2.3); nil when no menu was shown.
    public func bootItem() throws(DHCPOptionError) -> [UInt8]? {
        if let value = first(.bootItem) {
            guard value.count == 4 else { throw DHCPOptionError(.bootItem, "4 bytes wanted, \(value.count) there") }
            return value
        }
        return try pxeVendorOptions()?.bootItem
    }
}

extension DHCPOption {
    /// Option 55.
    public static func parameterRequestList(_ codes: [DHCPOptionCode]) -> DHCPOption {
        DHCPOption(.parameterRequestList, codes.map(\.rawValue))
    }
    /// Option 57.
    public static func maximumMessageSize(_ bytes: UInt16) -> DHCPOption { DHCPOption(.maximumMessageSize, bytes) }
}
