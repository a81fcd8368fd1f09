/// Something besides hardware address and UUID that tells a node by its DHCP requests.
public enum DHCPIdentity: Hashable, Sendable {
    /// The client identifier (option 61), all of its bytes.
    case client([UInt8])
    /// The port of a relay agent (option 82): its circuit, its remote identifier, or both.
    case relayPort(circuit: [UInt8]?, remote: [UInt8]?)

    /// The key of the fleet file that says it.
    public var key: String {
        switch self {
        case .client: "client-id"
        case .relayPort: "relay-port"
        }
    }

    /// For a message.
    public var words: String {
        switch self {
        case .client(let bytes): OpaqueBytes(bytes).text
        case .relayPort(let circuit, let remote):
            [circuit.map { "circuit \(OpaqueBytes($0).text)" }, remote.map { "remote \(OpaqueBytes($0).text)" }]
                .compactMap { $0 }.joined(separator: ", ")
        }
    }

    /// What is written under its key.
    public var setting: SettingValue {
        switch self {
        case .client(let bytes): return OpaqueBytes(bytes).setting
        case .relayPort(let circuit, let remote):
            var pairs: [SettingValue.Pair] = []
            if let circuit { pairs.append(.init("circuit", OpaqueBytes(circuit).setting)) }
            if let remote { pairs.append(.init("remote", OpaqueBytes(remote).setting)) }
            return .keys(pairs)
        }
    }

    /// The identities under one key of the fleet file.
    ///
    /// Throws what is wrong with them and where.
    public static func read(_ key: String, _ value: SettingValue) throws(SettingError) -> [DHCPIdentity] {
        if key == "client-id" { return try [OpaqueBytes](setting: value).map { .client($0.bytes) } }
        return try [RelayPort](setting: value).map { .relayPort(circuit: $0.circuit, remote: $0.remote) }
    }

    /// The keys of the fleet file.
    public static let keys = ["client-id", "relay-port"]

    private struct RelayPort: SettingCodable {
        var circuit: [UInt8]?
        var remote: [UInt8]?

        init(setting value: SettingValue) throws(SettingError) {
            let keys = try SettingKeys(value, of: "relay port", known: ["circuit", "remote"])
            let circuit: OpaqueBytes? = try keys.optional("circuit")
            let remote: OpaqueBytes? = try keys.optional("remote")
            guard circuit != nil || remote != nil else { throw SettingError("needs circuit or remote, or both") }
            self.circuit = circuit?.bytes
            self.remote = remote?.bytes
        }

        var setting: SettingValue { DHCPIdentity.relayPort(circuit: circuit, remote: remote).setting }
    }
}

extension DHCPIdentity: Codable {
    /// From `{client-id: …}` or `{relay-port: …}`.
    public init(from decoder: any Decoder) throws {
        guard case .keys(let pairs) = try SettingValue(from: decoder), let pair = pairs.first,
            let identity = try Self.read(pair.key, pair.value).first
        else { throw SettingError("is no identity of a node") }
        self = identity
    }

    /// As its key and value.
    public func encode(to encoder: any Encoder) throws {
        try SettingValue.keys([.init(key, setting)]).encode(to: encoder)
    }
}

/// Bytes as people write them: `01:52:54:00:12:34:56`, `0x01525400`, or text that stands for its own UTF-8.
public struct OpaqueBytes: SettingCodable {
    /// The bytes.
    public var bytes: [UInt8]

    /// From bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// From any text; hexadecimal pairs between colons, or after `0x`, are bytes.
    public init(text: String) {
        var digits: [Substring] = text.split(separator: ":", omittingEmptySubsequences: false)
        if text.hasPrefix("0x"), text.utf8.count.isMultiple(of: 2) {
            let hex = text.dropFirst(2)
            digits = stride(from: 0, to: hex.utf8.count, by: 2).map {
                hex[hex.index(hex.startIndex, offsetBy: $0)..<hex.index(hex.startIndex, offsetBy: $0 + 2)]
            }
        } else if digits.count < 2 {
            digits = []
        }
        let values = digits.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        bytes = values.isEmpty || values.count != digits.count ? Array(text.utf8) : values
    }

    /// From one text; an empty one is refused.
    public init(setting value: SettingValue) throws(SettingError) {
        let text = try String(setting: value)
        guard !text.isEmpty, text.utf8.count <= 512 else { throw SettingError("has 1 to 512 characters") }
        self.init(text: text)
    }

    /// As text when all of it is printable and would be read as text again, else as pairs between colons.
    public var text: String {
        let plain = String(decoding: bytes, as: UTF8.self)
        if bytes.allSatisfy({ (0x21..<0x7f).contains($0) }), OpaqueBytes(text: plain).bytes == bytes { return plain }
        let pairs = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return pairs.count == 1 ? "0x\(pairs[0])" : pairs.joined(separator: ":")
    }

    /// The text.
    public var setting: SettingValue { .text(text) }
}
