public import NetworkTypes

/// A DHCP option that the fleet adds to replies, as its number and content.
public struct DHCPOptionSetting: Hashable, Sendable {
    /// What the option holds.
    public enum Content: Hashable, Sendable {
        /// Text, without a zero at its end: `text: proxy.example`.
        case text(String)
        /// Addresses, four bytes each: `addresses: [10.0.0.1]`.
        case addresses([IPv4Address])
        /// A number of one, two or four bytes: `u8: 1`, `u16: 1400`, `u32: 86400`.
        case number(UInt32, bytes: Int)
        /// Bytes: `hex: "01:02:ff"`.
        case bytes([UInt8])
    }

    /// The option's number (RFC 2132).
    public var code: UInt8
    /// What it holds.
    public var content: Content

    /// An option from its parts.
    public init(code: UInt8, content: Content) {
        self.code = code
        self.content = content
    }

    /// Options that the server makes for each reply itself: pad, end, the address, lease and message options, client
    /// and relay identifiers, architecture and UUID.
    static let reserved: Set<UInt8> = [0, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 82, 93, 94, 97, 255]

    /// Numbers by name, as RFC 2132 and its followers call them.
    static let numbers: [String: UInt8] = [
        "subnet-mask": 1, "time-offset": 2, "routers": 3, "time-servers": 4, "name-servers": 5,
        "domain-name-servers": 6, "log-servers": 7, "cookie-servers": 8, "lpr-servers": 9, "host-name": 12,
        "domain-name": 15, "swap-server": 16, "root-path": 17, "extensions-path": 18, "ip-forwarding": 19,
        "mtu": 26, "broadcast-address": 28, "static-routes": 33, "default-ttl": 23, "tcp-ttl": 37, "nis-domain": 40,
        "nis-servers": 41, "ntp-servers": 42, "vendor-options": 43, "netbios-name-servers": 44, "netbios-node-type": 46,
        "x-font-servers": 48, "x-display-managers": 49, "vendor-class": 60, "nisplus-domain": 64, "tftp-server": 66,
        "boot-file": 67, "smtp-servers": 69, "pop-servers": 70, "www-servers": 72, "time-zone-posix": 100,
        "time-zone": 101, "domain-search": 119, "sip-servers": 120, "classless-routes": 121,
        "etherboot-signature": 128, "tftp-addresses": 150, "ipxe": 175, "configuration-file": 209, "path-prefix": 210,
        "wpad": 252,
    ]

    /// The content as bytes of the wire.
    public var bytes: [UInt8] {
        switch content {
        case .text(let text): Array(text.utf8)
        case .addresses(let addresses):
            addresses.flatMap { address in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: address.value >> UInt32($0)) }
            }
        case .number(let number, let count):
            (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
        case .bytes(let bytes): bytes
        }
    }
}

extension DHCPOptionSetting: SettingCodable {
    /// From `{code: N, text|addresses|hex|u8|u16|u32: …}`.
    public init(setting value: SettingValue) throws(SettingError) {
        let forms = ["text", "addresses", "hex", "u8", "u16", "u32"]
        let keys = try SettingKeys(value, of: "DHCP option", known: ["code"] + forms)
        let codeText: String = try keys.required("code")
        guard let code = UInt8(codeText) ?? Self.numbers[codeText], !Self.reserved.contains(code) else {
            let nearest = NearestName.of(codeText, among: Self.numbers.keys.sorted()).map {
                "; did you mean \"\($0)\"?"
            }
            throw SettingError(
                "\"\(codeText)\" is not an option that can be set: a number from 1 to 254 or a name such as"
                    + " mtu or log-servers, and none that the server makes for each reply itself\(nearest ?? "")"
            ).inside(.key("code"))
        }
        let given = forms.filter(keys.has)
        guard given.count == 1 else {
            throw SettingError("\(code) needs exactly one of \(forms.joined(separator: ", "))")
        }
        self.code = code
        switch given[0] {
        case "text": content = .text(try keys.required("text"))
        case "addresses": content = .addresses(try keys.required("addresses"))
        case "hex": content = .bytes(try Self.hex(try keys.required("hex")))
        case "u8": content = .number(try Self.number(keys, "u8", .init(UInt8.max)), bytes: 1)
        case "u16": content = .number(try Self.number(keys, "u16", .init(UInt16.max)), bytes: 2)
        default: content = .number(try Self.number(keys, "u32", .max), bytes: 4)
        }
        // Beyond 255 bytes it goes out in parts that clients join (RFC 3396); more than this fits no message.
        guard (1...1024).contains(bytes.count) else {
            throw SettingError("has \(bytes.count) bytes; 1 to 1024 fit").inside(.key(given[0]))
        }
    }

    private static func number(_ keys: SettingKeys, _ key: String, _ limit: UInt32) throws(SettingError) -> UInt32 {
        let text: String = try keys.required(key)
        guard let number = UInt32(text), number <= limit else {
            throw SettingError("\"\(text)\" is not a number from 0 to \(limit)").inside(.key(key))
        }
        return number
    }

    private static func hex(_ text: String) throws(SettingError) -> [UInt8] {
        let digits = text.filter { $0 != ":" && $0 != " " }.utf8.map { $0 }
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self), radix: 16)
        }
        guard digits.count.isMultiple(of: 2), bytes.count == digits.count / 2,
            text.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit || $0 == 0x3a || $0 == 0x20 })
        else {
            throw SettingError("\"\(text)\" is not bytes such as 01:02:ff").inside(.key("hex"))
        }
        return bytes
    }

    /// The keys it is written with.
    public var setting: SettingValue {
        let value: SettingValue.Pair =
            switch content {
            case .text(let text): .init("text", .text(text))
            case .addresses(let addresses): .init("addresses", addresses.setting)
            case .number(let number, let bytes): .init("u\(8 * bytes)", .scalar(String(number), isPlain: true))
            case .bytes(let bytes):
                .init("hex", .text(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")))
            }
        return .keys([.init("code", .scalar(String(code), isPlain: true)), value])
    }
}
