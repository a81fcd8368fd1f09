public import NetworkTypes

/// One DHCP or BOOTP message (RFC 2131 section 2, RFC 951).
///
///     0               1               2               3
///     op              htype           hlen            hops
///     xid ----------------------------------------------------------
///     secs                            flags (bit 0: broadcast)
///     ciaddr (client's own)           yiaddr (yours)
///     siaddr (next server)            giaddr (relay agent)
///     chaddr, 16 bytes     sname, 64 bytes     file, 128 bytes
///     magic cookie 99.130.83.99, options … END, padding
///
/// A message that was decoded encodes to the same bytes again: options keep their order, duplicates, values nobody
/// here understands, and the padding between and after them.
public struct DHCPMessage: Hashable, Sendable {
    /// Who speaks: a client (1) or a server (2) (called `op`).
    public var operation: DHCPOperation
    /// The client's hardware address with its type and length (`htype`, `hlen`, `chaddr`).
    public var hardware: ClientHardware
    /// How many relay agents the message passed (`hops`).
    public var hops: UInt8 = 0
    /// The number by which a client knows the answer to its question (`xid`).
    public var transaction: UInt32
    /// Seconds since the client began (`secs`).
    public var seconds: UInt16 = 0
    /// Flags; only the highest bit has a meaning (`flags`).
    public var flags: UInt16 = 0
    /// The address the client has and answers on (`ciaddr`).
    public var clientAddress: IPv4Address = .any
    /// The address the server gives (`yiaddr`).
    public var yourAddress: IPv4Address = .any
    /// The server of the next step of the boot (`siaddr`).
    public var nextServer: IPv4Address = .any
    /// The relay agent that the answer goes through (`giaddr`).
    public var relayAgent: IPv4Address = .any
    /// The 64 bytes of the server's name field (`sname`), also when options lie there.
    public internal(set) var serverNameField: [UInt8]
    /// The 128 bytes of the boot file field (`file`), also when options lie there.
    public internal(set) var bootFileField: [UInt8]
    /// The options after the magic cookie.
    public var options: DHCPOptions
    /// Options that the client put into `file` and `sname` (option 52), in the order RFC 3396 reads them.
    public internal(set) var overloadedOptions: [DHCPOption] = []
    /// What follows `file` in a BOOTP message without the magic cookie; nil in every other message.
    public internal(set) var vendorArea: [UInt8]?

    /// The magic cookie before the options (RFC 2131 section 3).
    static let cookie: UInt32 = 0x6382_5363
    static let emptyServerName = [UInt8](repeating: 0, count: 64)
    static let emptyBootFile = [UInt8](repeating: 0, count: 128)
    /// Bytes before the options or the BOOTP vendor area.
    static let headerSize = 236

    /// An empty message; flags, addresses, names and options are set afterwards.
    public init(operation: DHCPOperation, hardware: ClientHardware, transaction: UInt32) {
        self.operation = operation
        self.hardware = hardware
        self.transaction = transaction
        serverNameField = Self.emptyServerName
        bootFileField = Self.emptyBootFile
        options = DHCPOptions()
    }

    /// The client's MAC address; nil when `chaddr` holds something else (no Ethernet, or a UUID with length 16).
    public var mac: MACAddress? { hardware.mac }

    /// Whether the client asks for answers by broadcast (the B bit).
    public var isBroadcast: Bool {
        get { flags & 0x8000 != 0 }
        set { flags = newValue ? flags | 0x8000 : flags & 0x7fff }
    }

    /// The text in `file` up to its first zero byte; empty when options lie there.
    public var bootFileText: String {
        get { overload & 1 == 0 ? Self.text(bootFileField) : "" }
        set { bootFileField = Self.field(newValue, 128) }
    }

    /// The text in `sname` up to its first zero byte; empty when options lie there.
    public var serverNameText: String {
        get { overload & 2 == 0 ? Self.text(serverNameField) : "" }
        set { serverNameField = Self.field(newValue, 64) }
    }

    /// Which header fields hold options (option 52): 1 `file`, 2 `sname`, 3 both, 0 none.
    var overload: UInt8 {
        guard let value = options.first(.overload)?.value, value.count == 1 else { return 0 }
        return value[0] <= 3 ? value[0] : 0
    }

    private static func text(_ field: [UInt8]) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func field(_ text: String, _ size: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(size - 1))
        return bytes + [UInt8](repeating: 0, count: size - bytes.count)
    }
}

/// Who speaks (`op`).
public struct DHCPOperation: RawRepresentable, Hashable, Sendable {
    /// The byte on the wire.
    public var rawValue: UInt8
    /// From the byte on the wire; others than 1 and 2 are kept.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A client asks.
    public static let request = DHCPOperation(rawValue: 1)
    /// A server answers.
    public static let reply = DHCPOperation(rawValue: 2)
}
