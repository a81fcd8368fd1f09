import NetworkTypes

/// Why bytes are no DNS message.
public struct DNSDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in words.
    public var reason: String
    /// Where, in bytes from the start of the message.
    public var offset: Int
    /// For a log line.
    public var description: String { "\(reason) at byte \(offset)" }
}

/// Reads a message field by field; names may point back into what was read before (RFC 1035 §4.1.4).
struct MessageReader: ~Escapable {
    let bytes: Span<UInt8>
    private(set) var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    private func failure(_ reason: String) -> DNSDecodingError { DNSDecodingError(reason: reason, offset: offset) }

    private func need(_ count: Int) throws(DNSDecodingError) {
        guard count <= bytes.count - offset else { throw failure("the message ends too early") }
    }

    @_lifetime(self: copy self)
    mutating func readUInt8() throws(DNSDecodingError) -> UInt8 {
        try need(1)
        offset += 1
        return bytes[offset - 1]
    }

    @_lifetime(self: copy self)
    mutating func readUInt16() throws(DNSDecodingError) -> UInt16 {
        try need(2)
        offset += 2
        return UInt16(bytes[offset - 2]) << 8 | UInt16(bytes[offset - 1])
    }

    @_lifetime(self: copy self)
    mutating func readUInt32() throws(DNSDecodingError) -> UInt32 {
        let high = try readUInt16()
        return try UInt32(high) << 16 | UInt32(readUInt16())
    }

    @_lifetime(self: copy self)
    mutating func readBytes(_ count: Int) throws(DNSDecodingError) -> [UInt8] {
        try need(count)
        let start = offset
        offset += count
        return (start..<offset).map { bytes[$0] }
    }

    /// A name.
    ///
    /// Each pointer must lead before the place that was read last, so reading ends after as many steps as there are bytes.
    @_lifetime(self: copy self)
    mutating func readName() throws(DNSDecodingError) -> DNSName {
        var wire: [UInt8] = []
        var position = offset
        var start = offset
        var end: Int?
        while true {
            guard position < bytes.count else { throw failure("a name runs past the end") }
            let length = Int(bytes[position])
            switch length >> 6 {
            case 0:
                guard wire.count + length + 1 <= DNSName.lengthLimit else { throw failure("a name is too long") }
                guard position + length < bytes.count else { throw failure("a label runs past the end") }
                for index in position...position + length { wire.append(bytes[index]) }
                position += length + 1
                if length == 0 {
                    offset = end ?? position
                    return DNSName(checked: wire)
                }
            case 3:
                guard position + 1 < bytes.count else { throw failure("a pointer is cut off") }
                let target = (length & 0x3f) << 8 | Int(bytes[position + 1])
                guard target < start, target >= 12 else { throw failure("a name points forward or into the header") }
                if end == nil { end = position + 2 }
                position = target
                start = target
            default: throw failure("a label of unknown kind")
            }
        }
    }
}

extension DNSMessage {
    /// From the bytes of a datagram, or of a TCP message without its length.
    ///
    /// Throws `DNSDecodingError` for anything that RFC 1035 does not allow, also for bytes after the last record.
    public init(_ bytes: Span<UInt8>) throws(DNSDecodingError) {
        var reader = MessageReader(bytes)
        let id = try reader.readUInt16()
        let flags = try reader.readUInt16()
        let counts = (
            questions: try reader.readUInt16(), answers: try reader.readUInt16(), authorities: try reader.readUInt16(),
            additionals: try reader.readUInt16()
        )
        self.init(id: id, flags: flags, code: ResponseCode(rawValue: flags & 0xf))
        for _ in 0..<counts.questions {
            let name = try reader.readName()
            let type = RecordType(rawValue: try reader.readUInt16())
            questions.append(DNSQuestion(name, type, RecordClass(rawValue: try reader.readUInt16())))
        }
        try read(counts.answers, from: &reader, into: \.answers)
        try read(counts.authorities, from: &reader, into: \.authorities)
        try read(counts.additionals, from: &reader, into: \.additionals)
        guard reader.isAtEnd else {
            throw DNSDecodingError(reason: "there are bytes after the last record", offset: reader.offset)
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func read(
        _ count: UInt16,
        from reader: inout MessageReader,
        into section: WritableKeyPath<DNSMessage, [DNSRecord]>
    ) throws(DNSDecodingError) {
        for _ in 0..<count {
            let offset = reader.offset
            let name = try reader.readName()
            let type = RecordType(rawValue: try reader.readUInt16())
            let recordClass = try reader.readUInt16()
            let ttl = try reader.readUInt32()
            guard type == .opt else {
                let data = try reader.readData(of: type)
                self[keyPath: section].append(
                    DNSRecord(
                        name: name,
                        type: type,
                        recordClass: RecordClass(rawValue: recordClass),
                        ttl: ttl,
                        data: data
                    )
                )
                continue
            }
            // RFC 6891 §6.1.1: at most one, in the additional section, of the root.
            guard section == \.additionals, extended == nil, name == .root else {
                throw DNSDecodingError(reason: "an OPT record out of its place", offset: offset)
            }
            let length = Int(try reader.readUInt16())
            extended = ExtendedOptions(
                payloadSize: recordClass,
                version: UInt8(truncatingIfNeeded: ttl >> 16),
                flags: UInt16(truncatingIfNeeded: ttl),
                options: try reader.readBytes(length)
            )
            code = ResponseCode(rawValue: UInt16(truncatingIfNeeded: ttl >> 24) << 4 | code.rawValue & 0xf)
        }
    }
}

/// A field of a type whose data holds names that may be compressed.
private enum DataField {
    case bytes(Int)
    case text
    case name
    case rest

    /// The layouts of types other than those that `RecordData` knows (RFC 3597 §4 lists which may be compressed).
    static let layouts: [UInt16: [DataField]] = [
        3: [.name], 4: [.name], 7: [.name], 8: [.name], 9: [.name],  // MD MF MB MG MR
        14: [.name, .name],  // MINFO
        15: [.bytes(2), .name],  // MX
        17: [.name, .name],  // RP
        18: [.bytes(2), .name],  // AFSDB
        21: [.bytes(2), .name],  // RT
        24: [.bytes(18), .name, .rest],  // SIG
        26: [.bytes(2), .name, .name],  // PX
        30: [.name, .rest],  // NXT
        33: [.bytes(6), .name],  // SRV
        35: [.bytes(4), .text, .text, .text, .name],  // NAPTR
        36: [.bytes(2), .name],  // KX
        39: [.name],  // DNAME
    ]
}

extension MessageReader {
    /// The length and the data of a record.
    @_lifetime(self: copy self)
    mutating func readData(of type: RecordType) throws(DNSDecodingError) -> RecordData {
        let length = Int(try readUInt16())
        try need(length)
        let end = offset + length
        // Updates and their answers carry records without data (RFC 2136 §2.4).
        guard length > 0 else { return .other([]) }
        let data: RecordData
        switch type {
        case .a:
            guard let address = IPv4Address(bytes: try readBytes(length)) else { throw failure("an A record's length") }
            data = .address(address)
        case .aaaa:
            guard let address = IPv6Address(bytes: try readBytes(length)) else {
                throw failure("an AAAA record's length")
            }
            data = .address6(address)
        case .ns: data = .nameServer(try readName())
        case .cname: data = .alias(try readName())
        case .ptr: data = .pointer(try readName())
        case .soa:
            data = .startOfAuthority(
                StartOfAuthority(
                    server: try readName(),
                    mailbox: try readName(),
                    serial: try readUInt32(),
                    refresh: try readUInt32(),
                    retry: try readUInt32(),
                    expire: try readUInt32(),
                    negativeTTL: try readUInt32()
                )
            )
        case .txt:
            var strings: [[UInt8]] = []
            while offset < end { strings.append(try readBytes(Int(try readUInt8()))) }
            data = .text(strings)
        case .sshfp:
            guard length >= 2 else { throw failure("an SSHFP record's length") }
            let algorithm = try readUInt8()
            let digestType = try readUInt8()
            data = .hostKey(
                HostKeyFingerprint(
                    algorithm: algorithm,
                    digestType: digestType,
                    digest: try readBytes(length - 2)
                )
            )
        default:
            guard let layout = DataField.layouts[type.rawValue] else { return .other(try readBytes(length)) }
            data = .other(try readFields(layout, until: end))
        }
        guard offset == end else { throw failure("a record's data and its length differ") }
        return data
    }

    @_lifetime(self: copy self)
    private mutating func readFields(_ layout: [DataField], until end: Int) throws(DNSDecodingError) -> [UInt8] {
        var result: [UInt8] = []
        for field in layout {
            switch field {
            case .bytes(let count): result += try readBytes(count)
            case .text:
                let count = try readUInt8()
                result += [count] + (try readBytes(Int(count)))
            case .name: result += try readName().wire
            case .rest:
                guard offset <= end else { throw failure("a record's data and its length differ") }
                result += try readBytes(end - offset)
            }
        }
        return result
    }
}
