extension DHCPMessage {
    /// The client's name (option 12, RFC 2132 section 3.14).
    public func hostName() -> String? { text(.hostName) }
    /// The domain (option 15, RFC 2132 section 3.17).
    public func domainName() -> String? { text(.domainName) }
    /// An error in words (option 56, RFC 2132 section 9.9).
    public func errorMessage() -> String? { text(.message) }
    /// The boot server's name or address (option 66, RFC 2132 section 9.4).
    public func tftpServerName() -> String? { text(.tftpServerName) }
    /// The boot file (option 67, RFC 2132 section 9.5).
    public func bootFileName() -> String? { text(.bootFileName) }
    /// A loader's configuration file (option 209, RFC 5071 section 4).
    public func configurationFile() -> String? { text(.configurationFile) }
    /// What stands before a loader's relative paths (option 210, RFC 5071 section 5).
    public func pathPrefix() -> String? { text(.pathPrefix) }
}

extension DHCPOption {
    private init(_ code: DHCPOptionCode, text: String) { self.init(code, Array(text.utf8)) }

    /// Option 12.
    public static func hostName(_ name: String) -> DHCPOption { DHCPOption(.hostName, text: name) }
    /// Option 15.
    public static func domainName(_ name: String) -> DHCPOption { DHCPOption(.domainName, text: name) }
    /// Option 56.
    public static func errorMessage(_ text: String) -> DHCPOption { DHCPOption(.message, text: text) }
    /// Option 66.
    public static func tftpServerName(_ name: String) -> DHCPOption { DHCPOption(.tftpServerName, text: name) }
    /// Option 67, closed by a zero byte: some PXE ROMs read on over the end of the value, into END (0xff).
    public static func bootFileName(_ name: String) -> DHCPOption { DHCPOption(.bootFileName, Array(name.utf8) + [0]) }
    /// Option 209.
    public static func configurationFile(_ path: String) -> DHCPOption { DHCPOption(.configurationFile, text: path) }
    /// Option 210.
    public static func pathPrefix(_ path: String) -> DHCPOption { DHCPOption(.pathPrefix, text: path) }
}
