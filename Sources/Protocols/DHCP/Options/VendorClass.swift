/// What kind of client this is (option 60, RFC 2132 section 9.13).
public struct VendorClass: Hashable, Sendable, CustomStringConvertible {
    /// The text as sent, such as `PXEClient:Arch:00007:UNDI:003016`.
    public var text: String

    /// A vendor class.
    public init(_ text: String) { self.text = text }

    /// What PXE clients begin with, and replies to them must begin with (PXE 2.1 section 2.2).
    public static let pxeClient = VendorClass("PXEClient")
    /// What UEFI HTTP Boot begins with, and replies to it must begin with (UEFI section 24.7).
    public static let httpClient = VendorClass("HTTPClient")

    /// Whether this is a PXE client.
    public var isPXE: Bool { text.hasPrefix("PXEClient") }
    /// Whether this is UEFI HTTP Boot.
    public var isHTTP: Bool { text.hasPrefix("HTTPClient") }

    /// The number after `Arch:`; nil when there is none.
    ///
    /// For ROMs that leave option 93 out.
    public var architecture: UInt16? { field(after: "Arch").flatMap { UInt16($0) } }

    /// The UNDI version after `UNDI:`: major and minor of three decimal digits each.
    public var networkInterfaceVersion: (major: UInt8, minor: UInt8)? {
        guard let digits = field(after: "UNDI"), digits.utf8.count == 6, let major = UInt8(digits.prefix(3)),
            let minor = UInt8(digits.suffix(3))
        else { return nil }
        return (major, minor)
    }

    private func field(after name: String) -> Substring? {
        guard isPXE || isHTTP else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let index = parts.firstIndex(where: { $0 == name }), index + 1 < parts.count else { return nil }
        return parts[index + 1]
    }

    /// The text.
    public var description: String { text }
}

extension DHCPMessage {
    /// What kind of client this is (option 60).
    public func vendorClass() -> VendorClass? { text(.vendorClass).map(VendorClass.init) }
}

extension DHCPOption {
    /// Option 60.
    public static func vendorClass(_ vendorClass: VendorClass) -> DHCPOption {
        DHCPOption(.vendorClass, Array(vendorClass.text.utf8))
    }
}
