/// iPXE's own options (175): from the client what it can do, to the client how it shall behave.
///
/// Source: iPXE's `dhcp.h`. Every feature is a sub-option whose value is a version number.
public struct IPXEOptions: Hashable, Sendable {
    /// Something an iPXE can do.
    public struct Feature: RawRepresentable, Hashable, Sendable {
        /// The sub-option's code.
        public var rawValue: UInt8
        /// From a sub-option's code; others are kept.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// PXE extensions.
        public static let pxeExtensions = Feature(rawValue: 0x10)
        /// iSCSI disks.
        public static let iscsi = Feature(rawValue: 0x11)
        /// ATA over Ethernet.
        public static let aoe = Feature(rawValue: 0x12)
        /// HTTP.
        public static let http = Feature(rawValue: 0x13)
        /// HTTPS.
        public static let https = Feature(rawValue: 0x14)
        /// TFTP.
        public static let tftp = Feature(rawValue: 0x15)
        /// FTP.
        public static let ftp = Feature(rawValue: 0x16)
        /// DNS.
        public static let dns = Feature(rawValue: 0x17)
        /// Linux kernels of x86 (`bzImage`).
        public static let bzImage = Feature(rawValue: 0x18)
        /// PXE boot images.
        public static let pxe = Feature(rawValue: 0x21)
        /// EFI programs.
        public static let efi = Feature(rawValue: 0x24)
        /// VLANs.
        public static let vlan = Feature(rawValue: 0x26)
        /// Menus in scripts.
        public static let menu = Feature(rawValue: 0x27)
    }

    /// The sub-options.
    public var suboptions: EncapsulatedOptions

    /// Options from sub-options.
    public init(_ entries: [EncapsulatedOptions.Entry] = []) { suboptions = EncapsulatedOptions(entries) }

    init(suboptions: EncapsulatedOptions) { self.suboptions = suboptions }

    /// "Do not wait for a proxyDHCP server" (sub-option 176 = 1): saves iPXE 3 s.
    public static let noProxyDHCP = IPXEOptions([.init(0xb0, [1])])

    /// Whether the client has `feature`.
    public func has(_ feature: Feature) -> Bool { (suboptions.first(feature.rawValue)?.first ?? 0) != 0 }

    /// iPXE's version, such as 1.21.1 (sub-option 0xeb); nil when it does not say.
    public var version: String? {
        suboptions.first(0xeb).flatMap { $0.count == 3 ? $0.map(String.init).joined(separator: ".") : nil }
    }

    /// Codes of all sub-options, with features and the rest, ascending.
    public var codes: [UInt8] { Set(suboptions.entries.map(\.code)).sorted() }
}

extension DHCPMessage {
    /// iPXE's own options (175).
    ///
    /// Other clients use 175 for other things, which may be malformed as this.
    public func ipxeOptions() throws(DHCPOptionError) -> IPXEOptions? {
        guard let value = joined(.ipxe) else { return nil }
        return IPXEOptions(suboptions: try EncapsulatedOptions(decoding: value, of: .ipxe, marks: true))
    }
}

extension DHCPOption {
    /// Option 175.
    public static func ipxeOptions(_ options: IPXEOptions) -> DHCPOption {
        DHCPOption(.ipxe, options.suboptions.encode())
    }
}
