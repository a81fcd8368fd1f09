import NetworkTypes

/// Bytes as pairs of hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// How an option's value is shown, and what it is called.
struct DHCPOptionFormat {
    enum Kind {
        case addresses, numbers(bytes: Int), text, codes, messageType, encapsulated, hexadecimal
    }

    var name: String
    var kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    static let known: [UInt8: DHCPOptionFormat] = [
        1: .init("subnet-mask", .addresses), 3: .init("routers", .addresses), 6: .init("name-servers", .addresses),
        12: .init("host-name", .text), 15: .init("domain-name", .text), 17: .init("root-path", .text),
        28: .init("broadcast-address", .addresses), 42: .init("time-servers", .addresses),
        43: .init("vendor-options", .encapsulated), 50: .init("requested-address", .addresses),
        51: .init("lease-time", .numbers(bytes: 4)), 52: .init("overload", .numbers(bytes: 1)),
        53: .init("message-type", .messageType), 54: .init("server-id", .addresses),
        55: .init("parameter-list", .codes), 56: .init("message", .text), 57: .init("maximum-size", .numbers(bytes: 2)),
        58: .init("renewal-time", .numbers(bytes: 4)), 59: .init("rebinding-time", .numbers(bytes: 4)),
        60: .init("vendor-class", .text), 61: .init("client-id", .hexadecimal), 66: .init("tftp-server", .text),
        67: .init("boot-file", .text), 71: .init("boot-item", .hexadecimal), 77: .init("user-class", .text),
        82: .init("relay-agent", .encapsulated), 93: .init("architecture", .numbers(bytes: 2)),
        94: .init("network-interface", .numbers(bytes: 1)), 97: .init("machine-uuid", .hexadecimal),
        91: .init("last-transaction", .numbers(bytes: 4)), 92: .init("associated-addresses", .addresses),
        118: .init("subnet-selection", .addresses), 121: .init("classless-routes", .hexadecimal),
        128: .init("etherboot-signature", .hexadecimal), 175: .init("ipxe", .encapsulated),
        209: .init("configuration-file", .text), 210: .init("path-prefix", .text),
    ]
}

extension DHCPOption: CustomStringConvertible {
    /// Code, name and value as people read it: `54 (server-id) 10.0.0.1`.
    public var description: String { "\(code) \(valueDescription)" }

    private var valueDescription: String {
        switch DHCPOptionFormat.known[code.rawValue]?.kind ?? .hexadecimal {
        case .addresses where value.count % 4 == 0:
            groups(of: 4).compactMap { IPv4Address(bytes: $0)?.description }.joined(separator: ",")
        case .numbers(let bytes) where value.count % bytes == 0:
            groups(of: bytes).map { String($0.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) }.joined(separator: ",")
        case .codes:
            value.map(String.init).joined(separator: ",")
        case .messageType where value.count == 1:
            DHCPMessageType(rawValue: value[0]).description
        case .encapsulated:
            (try? EncapsulatedOptions(decoding: value, of: code, marks: code != .relayAgentInformation))
                .map { $0.entries.map { "\($0.code)=\(hexadecimal($0.value))" }.joined(separator: " ") }
                ?? hexadecimal(value)
        case .text:
            "\"" + String(decoding: value, as: UTF8.self).unicodeScalars.map(Self.escaped).joined() + "\""
        default:
            hexadecimal(value)
        }
    }

    private func groups(of size: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: value.count, by: size).map { value[$0..<$0 + size] }
    }

    /// What comes from the network must not move the cursor of a terminal or end a log line.
    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || scalar == "\"" || scalar == "\\"
            ? "\\x" + hexadecimal([UInt8(truncatingIfNeeded: scalar.value)]) : String(scalar)
    }
}

extension DHCPMessage: CustomStringConvertible {
    /// One line for the header, one for each option, as packet printers have it.
    public var description: String {
        var line = operation == .request ? "request" : operation == .reply ? "reply" : "op \(operation.rawValue)"
        line += " from \(hardware), xid 0x\(String(transaction, radix: 16)), secs \(seconds)"
        if hops != 0 { line += ", hops \(hops)" }
        if flags != 0 { line += ", flags 0x\(String(flags, radix: 16))" }
        let addresses = [
            ("ciaddr", clientAddress), ("yiaddr", yourAddress), ("siaddr", nextServer), ("giaddr", relayAgent),
        ]
        for (name, address) in addresses where !address.isAny { line += ", \(name) \(address)" }
        if !serverNameText.isEmpty { line += ", sname \(serverNameText.debugDescription)" }
        if !bootFileText.isEmpty { line += ", file \(bootFileText.debugDescription)" }
        if vendorArea != nil { line += ", BOOTP without options" }
        return ([line] + allOptions.map { "  \($0)" }).joined(separator: "\n")
    }
}
