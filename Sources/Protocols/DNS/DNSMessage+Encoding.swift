import ByteCoding
import NetworkTypes

/// Writes a message; a name that was written before becomes a pointer to it (RFC 1035 §4.1.4).
struct MessageWriter {
    private(set) var writer: ByteWriter
    /// Where names begin that later ones may point to.
    private var places: [DNSName: Int] = [:]
    /// The first name, the question's: nearly every record of an answer has it.
    private var first: (name: DNSName, place: Int)?

    init(capacity: Int) { writer = ByteWriter(capacity: capacity) }

    var count: Int { writer.count }

    mutating func truncate(to count: Int) { writer.truncate(to: count) }
    mutating func writeUInt16(_ value: UInt16) { writer.writeUInt16(value) }
    mutating func replaceUInt16(at offset: Int, with value: UInt16) { writer.replaceUInt16(at: offset, with: value) }

    mutating func writeName(_ name: DNSName) {
        guard let first else {
            first = (name, writer.count)
            writer.writeBytes(name.wire)
            return
        }
        if name == first.name, name.wire.count > 1 { return writer.writeUInt16(0xc000 | UInt16(first.place)) }
        if places.isEmpty { remember(first.name, at: first.place) }
        var rest = name
        while rest.wire.count > 1 {
            if let place = places[rest] { return writer.writeUInt16(0xc000 | UInt16(place)) }
            // A pointer has 14 bits.
            if writer.count < 0x4000 { places[rest] = writer.count }
            writer.writeBytes(rest.wire[...Int(rest.wire[0])])
            rest = rest.parent ?? .root
        }
        writer.writeUInt8(0)
    }

    private mutating func remember(_ name: DNSName, at place: Int) {
        var rest = name
        var place = place
        while rest.wire.count > 1, place < 0x4000 {
            places[rest] = place
            place += 1 + Int(rest.wire[0])
            rest = rest.parent ?? .root
        }
    }

    mutating func write(_ question: DNSQuestion) {
        writeName(question.name)
        writer.writeUInt16(question.type.rawValue)
        writer.writeUInt16(question.recordClass.rawValue)
    }

    mutating func write(_ record: DNSRecord) {
        writeName(record.name)
        writer.writeUInt16(record.type.rawValue)
        writer.writeUInt16(record.recordClass.rawValue)
        writer.writeUInt32(record.ttl)
        let lengthPlace = writer.count
        writer.writeUInt16(0)
        write(record.data)
        writer.replaceUInt16(at: lengthPlace, with: UInt16(truncatingIfNeeded: writer.count - lengthPlace - 2))
    }

    private mutating func write(_ data: RecordData) {
        switch data {
        case .address(let address): writer.writeUInt32(address.value)
        case .address6(let address): writer.writeBytes(address.bytes)
        case .nameServer(let name), .alias(let name), .pointer(let name): writeName(name)
        case .startOfAuthority(let start):
            writeName(start.server)
            writeName(start.mailbox)
            for value in [start.serial, start.refresh, start.retry, start.expire, start.negativeTTL] {
                writer.writeUInt32(value)
            }
        case .text(let strings):
            for string in strings {
                writer.writeUInt8(UInt8(min(string.count, 255)))
                writer.writeBytes(string.prefix(255))
            }
        case .hostKey(let key):
            writer.writeUInt8(key.algorithm)
            writer.writeUInt8(key.digestType)
            writer.writeBytes(key.digest)
        case .other(let bytes): writer.writeBytes(bytes.prefix(Int(UInt16.max)))
        }
    }

    mutating func write(_ extended: ExtendedOptions, code: ResponseCode) {
        writer.writeUInt8(0)
        writer.writeUInt16(RecordType.opt.rawValue)
        writer.writeUInt16(extended.payloadSize)
        writer.writeUInt8(UInt8(truncatingIfNeeded: code.rawValue >> 4))
        writer.writeUInt8(extended.version)
        writer.writeUInt16(extended.flags)
        writer.writeUInt16(UInt16(min(extended.options.count, Int(UInt16.max))))
        writer.writeBytes(extended.options.prefix(Int(UInt16.max)))
    }
}

extension DNSMessage {
    /// The longest message in bytes: TCP's length has 16 bits (RFC 1035 §4.2.2).
    public static let lengthLimit = 65_535

    /// The bytes of the message, at most `limit`: what does not fit is left out, and TC says so when it is an answer or
    /// an authority.
    public func encoded(limit: Int = lengthLimit) -> [UInt8] {
        // A response code beyond 15 needs EDNS to be told; without it the nearest that is known.
        let code = extended == nil && code.rawValue > 15 ? ResponseCode.serverFailure : code
        var writer = MessageWriter(capacity: min(limit, 512))
        var flags = flags & 0xfff0 | code.rawValue & 0xf
        writer.writeUInt16(id)
        writer.writeUInt16(flags)
        for _ in 0..<4 { writer.writeUInt16(0) }
        for question in questions { writer.write(question) }
        writer.replaceUInt16(at: 4, with: UInt16(truncatingIfNeeded: questions.count))
        let room = limit - (extended.map { 11 + $0.options.count } ?? 0)
        var isFull = false
        for (section, records) in [answers, authorities, additionals].enumerated() {
            var count: UInt16 = 0
            for record in records where !isFull {
                let before = writer.count
                writer.write(record)
                if writer.count > room {
                    // No name follows that could point into what is taken back.
                    writer.truncate(to: before)
                    isFull = true
                    if section < 2 { flags |= 0x0200 }
                } else {
                    count += 1
                }
            }
            writer.replaceUInt16(at: 6 + 2 * section, with: count)
        }
        if let extended {
            writer.write(extended, code: code)
            let place = section(3, of: writer)
            writer.replaceUInt16(at: 10, with: place &+ 1)
        }
        writer.replaceUInt16(at: 2, with: flags)
        return writer.writer.bytes
    }

    private func section(_ number: Int, of writer: MessageWriter) -> UInt16 {
        let place = 4 + 2 * number
        return UInt16(writer.writer.bytes[place]) << 8 | UInt16(writer.writer.bytes[place + 1])
    }
}
