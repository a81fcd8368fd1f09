/// What PXE puts into option 43 (PXE 2.1 section 2.3): how to find a boot server, and a menu.
public struct PXEVendorOptions: Hashable, Sendable {
    /// One line of the menu.
    public struct MenuItem: Hashable, Sendable {
        /// The boot server type that is asked when this is chosen; 0 is the local disk.
        public var type: UInt16
        /// The line's text, at most 255 bytes.
        public var text: String

        /// A line from its parts.
        public init(type: UInt16, text: String) {
            self.type = type
            self.text = text
        }
    }

    /// The sub-options.
    public var suboptions: EncapsulatedOptions

    /// Vendor options from sub-options; END is added when they are encoded.
    public init(_ entries: [EncapsulatedOptions.Entry] = []) {
        suboptions = EncapsulatedOptions(entries, isEnded: true)
    }

    init(suboptions: EncapsulatedOptions) { self.suboptions = suboptions }

    /// "No menu and no search: take the file name of this very message" (discovery control, bit 3): `06 01 08`.
    public static let bootFileOnly = PXEVendorOptions([.init(6, [8])])

    /// Discovery control (sub-option 6): bit 0 no broadcast, 1 no multicast, 2 listed servers only, 3 no search.
    public var discoveryControl: UInt8? {
        suboptions.first(6).flatMap { $0.count == 1 ? $0[0] : nil }
    }

    /// The item a user chose: type and layer, 4 bytes (sub-option 71).
    public var bootItem: [UInt8]? { suboptions.first(71).flatMap { $0.count == 4 ? $0 : nil } }

    /// The menu (sub-option 9); nil when absent or cut off.
    public var menu: [MenuItem]? {
        guard let value = suboptions.first(9) else { return nil }
        var items: [MenuItem] = []
        var position = 0
        while position < value.count {
            guard position + 3 <= value.count, position + 3 + Int(value[position + 2]) <= value.count else {
                return nil
            }
            let end = position + 3 + Int(value[position + 2])
            let text = String(decoding: value[position + 3..<end], as: UTF8.self)
            items.append(MenuItem(type: UInt16(value[position]) << 8 | UInt16(value[position + 1]), text: text))
            position = end
        }
        return items
    }

    /// A sub-option with a menu (9).
    public static func menu(_ items: [MenuItem]) -> EncapsulatedOptions.Entry {
        .init(
            9,
            items.flatMap { item in
                let text = Array(item.text.utf8.prefix(252))
                return [UInt8(item.type >> 8), UInt8(truncatingIfNeeded: item.type), UInt8(text.count)] + text
            }
        )
    }

    /// A sub-option with a prompt (10) that chooses the first item after `seconds`; 0 at once, 255 never.
    public static func prompt(_ text: String, seconds: UInt8) -> EncapsulatedOptions.Entry {
        .init(10, [seconds] + Array(text.utf8))
    }
}

extension DHCPMessage {
    /// Option 43 as PXE defines it; other clients put other things there, which may be malformed as this.
    public func pxeVendorOptions() throws(DHCPOptionError) -> PXEVendorOptions? {
        guard let value = joined(.vendorOptions) else { return nil }
        return PXEVendorOptions(
            suboptions: try EncapsulatedOptions(decoding: value, of: .vendorOptions, marks: true)
        )
    }
}

extension DHCPOption {
    /// Option 43.
    public static func pxeVendorOptions(_ options: PXEVendorOptions) -> DHCPOption {
        DHCPOption(.vendorOptions, options.suboptions.encode())
    }
}
