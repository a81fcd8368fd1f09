/// The type of a resource record or of a question (IANA "DNS Parameters", RR TYPEs).
public struct RecordType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt16
    /// From the number on the wire.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An IPv4 address (RFC 1035 §3.4.1).
    public static let a = RecordType(rawValue: 1)
    /// A name server of a zone (RFC 1035 §3.3.11).
    public static let ns = RecordType(rawValue: 2)
    /// Another name for this one (RFC 1035 §3.3.1).
    public static let cname = RecordType(rawValue: 5)
    /// The start of a zone (RFC 1035 §3.3.13).
    public static let soa = RecordType(rawValue: 6)
    /// The name that an address belongs to (RFC 1035 §3.3.12).
    public static let ptr = RecordType(rawValue: 12)
    /// Mail exchange (RFC 1035 §3.3.9).
    public static let mx = RecordType(rawValue: 15)
    /// Text (RFC 1035 §3.3.14).
    public static let txt = RecordType(rawValue: 16)
    /// An IPv6 address (RFC 3596).
    public static let aaaa = RecordType(rawValue: 28)
    /// Where a service is (RFC 2782).
    public static let srv = RecordType(rawValue: 33)
    /// EDNS: no record, but more about the message (RFC 6891).
    public static let opt = RecordType(rawValue: 41)
    /// The key that signs a delegated zone (RFC 4034).
    public static let ds = RecordType(rawValue: 43)
    /// The fingerprint of an ssh host key (RFC 4255).
    public static let sshfp = RecordType(rawValue: 44)
    /// The key of a zone (RFC 4034).
    public static let dnskey = RecordType(rawValue: 48)
    /// A zone's changes (RFC 1995); asked only.
    public static let ixfr = RecordType(rawValue: 251)
    /// A whole zone (RFC 5936); asked only.
    public static let axfr = RecordType(rawValue: 252)
    /// Whatever there is (RFC 8482); asked only.
    public static let any = RecordType(rawValue: 255)

    private static let names: [UInt16: String] = [
        1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 41: "OPT",
        43: "DS",
        44: "SSHFP", 48: "DNSKEY", 251: "IXFR", 252: "AXFR", 255: "ANY",
    ]

    /// Its mnemonic, else `TYPE` and the number (RFC 3597 §5).
    public var description: String { Self.names[rawValue] ?? "TYPE\(rawValue)" }
}

/// The class of a record or question (RFC 1035 §3.2.4).
public struct RecordClass: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: UInt16
    /// From the number on the wire.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The Internet.
    public static let internet = RecordClass(rawValue: 1)
    /// Any class; asked only.
    public static let any = RecordClass(rawValue: 255)
}

/// What a message is for (RFC 1035 §4.1.1, OPCODE).
public struct OperationCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire, 0 to 15.
    public var rawValue: UInt8
    /// From the number on the wire.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A question.
    public static let query = OperationCode(rawValue: 0)
}

/// How a question was answered (RFC 1035 §4.1.1, RCODE; RFC 6891 makes it 12 bits wide).
public struct ResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number, 0 to 4095.
    public var rawValue: UInt16
    /// From the number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// NOERROR.
    public static let noError = ResponseCode(rawValue: 0)
    /// FORMERR: the question was not understood.
    public static let formatError = ResponseCode(rawValue: 1)
    /// SERVFAIL.
    public static let serverFailure = ResponseCode(rawValue: 2)
    /// NXDOMAIN: there is no such name.
    public static let noSuchName = ResponseCode(rawValue: 3)
    /// NOTIMP: this kind of message is not served.
    public static let notImplemented = ResponseCode(rawValue: 4)
    /// REFUSED.
    public static let refused = ResponseCode(rawValue: 5)
    /// BADVERS: an EDNS version above 0 (RFC 6891 §6.1.3).
    public static let badVersion = ResponseCode(rawValue: 16)

    /// Its mnemonic, else `RCODE` and the number.
    public var description: String {
        let names: [UInt16: String] = [
            0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS",
        ]
        return names[rawValue] ?? "RCODE\(rawValue)"
    }
}
