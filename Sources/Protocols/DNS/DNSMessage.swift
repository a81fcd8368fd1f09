/// What is asked (RFC 1035 §4.1.2).
public struct DNSQuestion: Hashable, Sendable, CustomStringConvertible {
    /// About which name.
    public var name: DNSName
    /// For which type.
    public var type: RecordType
    /// In which class.
    public var recordClass: RecordClass

    /// A question from its parts.
    public init(_ name: DNSName, _ type: RecordType, _ recordClass: RecordClass = .internet) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }

    /// For a log line: `node1.lab.example. A`.
    public var description: String { "\(name) \(type)" }
}

/// EDNS(0): what both sides can beyond RFC 1035 (RFC 6891 §6.1).
public struct ExtendedOptions: Hashable, Sendable {
    /// The largest datagram that the sender takes, in bytes.
    public var payloadSize: UInt16
    /// The version; 0 is the only one.
    public var version: UInt8
    /// The flag bits; the highest is DO.
    public var flags: UInt16
    /// The options as they are on the wire.
    public var options: [UInt8]

    /// Options from their parts.
    public init(payloadSize: UInt16, version: UInt8 = 0, flags: UInt16 = 0, options: [UInt8] = []) {
        self.payloadSize = payloadSize
        self.version = version
        self.flags = flags
        self.options = options
    }

    /// DO: DNSSEC records are wanted (RFC 3225).
    public var wantsSignatures: Bool {
        get { flags & 0x8000 != 0 }
        set { flags = newValue ? flags | 0x8000 : flags & 0x7fff }
    }

    /// What fits into one packet on any path: the size of DNS flag day 2020.
    public static let safePayloadSize: UInt16 = 1232
}

/// A DNS message (RFC 1035 §4.1), question or answer.
public struct DNSMessage: Hashable, Sendable {
    /// Chosen by who asks; the answer repeats it.
    public var id: UInt16
    /// All flag bits but the response code: QR, OPCODE, AA, TC, RD, RA, Z, AD, CD at their places on the wire.
    public var flags: UInt16
    /// The response code.
    public var code: ResponseCode
    /// The questions; every query in use has one.
    public var questions: [DNSQuestion]
    /// The records that answer.
    public var answers: [DNSRecord]
    /// The records that point to who knows, or tell how long there is nothing.
    public var authorities: [DNSRecord]
    /// Records that help; without OPT, which is `extended`.
    public var additionals: [DNSRecord]
    /// EDNS, when the sender knows it.
    public var extended: ExtendedOptions?

    /// A message from its parts.
    public init(
        id: UInt16,
        flags: UInt16 = 0,
        code: ResponseCode = .noError,
        questions: [DNSQuestion] = [],
        answers: [DNSRecord] = [],
        authorities: [DNSRecord] = [],
        additionals: [DNSRecord] = [],
        extended: ExtendedOptions? = nil
    ) {
        self.id = id
        self.flags = flags & 0xfff0
        self.code = code
        self.questions = questions
        self.answers = answers
        self.authorities = authorities
        self.additionals = additionals
        self.extended = extended
    }

    private func bit(_ mask: UInt16) -> Bool { flags & mask != 0 }
    private mutating func setBit(_ mask: UInt16, _ isSet: Bool) { flags = isSet ? flags | mask : flags & ~mask }

    /// QR: this is an answer.
    public var isResponse: Bool {
        get { bit(0x8000) }
        set { setBit(0x8000, newValue) }
    }
    /// AA: the answer is the zone's own.
    public var isAuthoritative: Bool {
        get { bit(0x0400) }
        set { setBit(0x0400, newValue) }
    }
    /// TC: there is more than fits; ask over TCP.
    public var isTruncated: Bool {
        get { bit(0x0200) }
        set { setBit(0x0200, newValue) }
    }
    /// RD: the server may ask others.
    public var wantsRecursion: Bool {
        get { bit(0x0100) }
        set { setBit(0x0100, newValue) }
    }
    /// RA: the server asks others.
    public var offersRecursion: Bool {
        get { bit(0x0080) }
        set { setBit(0x0080, newValue) }
    }
    /// AD: the data was proved (RFC 4035 §3.2.3).
    public var isAuthentic: Bool {
        get { bit(0x0020) }
        set { setBit(0x0020, newValue) }
    }
    /// CD: who asks proves by itself (RFC 4035 §3.2.2).
    public var isCheckingDisabled: Bool {
        get { bit(0x0010) }
        set { setBit(0x0010, newValue) }
    }
    /// What the message is for.
    public var operation: OperationCode { OperationCode(rawValue: UInt8(flags >> 11) & 0xf) }

    /// The empty answer to this query: its id, question, RD and CD, and EDNS when it has EDNS.
    public func reply(_ code: ResponseCode = .noError) -> DNSMessage {
        var reply = DNSMessage(id: id, flags: flags & 0x7910, code: code, questions: questions)
        reply.isResponse = true
        if let extended {
            reply.extended = ExtendedOptions(
                payloadSize: ExtendedOptions.safePayloadSize,
                flags: extended.flags & 0x8000
            )
        }
        return reply
    }

    /// The largest UDP answer in bytes for who sent this: what EDNS says, 512 without (RFC 1035 §4.2.1), never more
    /// than what fits into one packet on any path.
    public var payloadLimit: Int {
        guard let extended else { return 512 }
        return Int(min(max(extended.payloadSize, 512), ExtendedOptions.safePayloadSize))
    }
}
