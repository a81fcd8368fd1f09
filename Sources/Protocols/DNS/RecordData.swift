public import NetworkTypes

/// The start of a zone (RFC 1035 §3.3.13).
public struct StartOfAuthority: Hashable, Sendable {
    /// The zone's first name server.
    public var server: DNSName
    /// Whom to write to, the first label being the mailbox.
    public var mailbox: DNSName
    /// Rises with every change of the zone.
    public var serial: UInt32
    /// Seconds after which a secondary looks again.
    public var refresh: UInt32
    /// Seconds after which it tries again.
    public var retry: UInt32
    /// Seconds after which it gives up.
    public var expire: UInt32
    /// Seconds for which "no such name" may be kept (RFC 2308 §4).
    public var negativeTTL: UInt32

    /// A start of authority from its parts.
    public init(
        server: DNSName,
        mailbox: DNSName,
        serial: UInt32,
        refresh: UInt32,
        retry: UInt32,
        expire: UInt32,
        negativeTTL: UInt32
    ) {
        self.server = server
        self.mailbox = mailbox
        self.serial = serial
        self.refresh = refresh
        self.retry = retry
        self.expire = expire
        self.negativeTTL = negativeTTL
    }
}

/// The fingerprint of an ssh host key (RFC 4255 §3.1).
public struct HostKeyFingerprint: Hashable, Sendable {
    /// The key's algorithm: 1 RSA, 2 DSA, 3 ECDSA (RFC 6594), 4 Ed25519 (RFC 7479).
    public var algorithm: UInt8
    /// The digest: 1 SHA-1, 2 SHA-256 (RFC 6594).
    public var digestType: UInt8
    /// The digest of the key's public half.
    public var digest: [UInt8]

    /// A fingerprint from its parts.
    public init(algorithm: UInt8, digestType: UInt8, digest: [UInt8]) {
        self.algorithm = algorithm
        self.digestType = digestType
        self.digest = digest
    }
}

/// What a record says.
public enum RecordData: Hashable, Sendable {
    /// A: an IPv4 address.
    case address(IPv4Address)
    /// AAAA: an IPv6 address.
    case address6(IPv6Address)
    /// NS: a name server.
    case nameServer(DNSName)
    /// CNAME: the name's true name.
    case alias(DNSName)
    /// PTR: the name of an address.
    case pointer(DNSName)
    /// SOA.
    case startOfAuthority(StartOfAuthority)
    /// TXT: strings of at most 255 bytes; a record has at least one.
    case text([[UInt8]])
    /// SSHFP.
    case hostKey(HostKeyFingerprint)
    /// Any other type, and the empty data of updates: the bytes as they are, with names inside written out in full.
    case other([UInt8])
}

/// One resource record (RFC 1035 §4.1.3).
public struct DNSRecord: Hashable, Sendable {
    /// Whose.
    public var name: DNSName
    /// Its type.
    public var type: RecordType
    /// Its class.
    public var recordClass: RecordClass
    /// For how many seconds it may be kept.
    public var ttl: UInt32
    /// What it says.
    public var data: RecordData

    /// A record from its parts.
    public init(
        name: DNSName,
        type: RecordType,
        recordClass: RecordClass = .internet,
        ttl: UInt32,
        data: RecordData
    ) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
        self.ttl = ttl
        self.data = data
    }

    /// A record of class IN whose type follows from what it says; `other` has none and becomes type 0.
    public init(_ name: DNSName, ttl: UInt32, _ data: RecordData) {
        let type: RecordType =
            switch data {
            case .address: .a
            case .address6: .aaaa
            case .nameServer: .ns
            case .alias: .cname
            case .pointer: .ptr
            case .startOfAuthority: .soa
            case .text: .txt
            case .hostKey: .sshfp
            case .other: RecordType(rawValue: 0)
            }
        self.init(name: name, type: type, ttl: ttl, data: data)
    }
}
