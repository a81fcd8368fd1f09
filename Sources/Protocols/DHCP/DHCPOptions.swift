import ByteCoding

/// One option: a code and its value (RFC 2132 section 2).
public struct DHCPOption: Hashable, Sendable {
    /// What it says.
    public var code: DHCPOptionCode
    /// How it says it; up to 255 bytes on the wire, longer values are split when a reply is encoded (RFC 3396).
    public var value: [UInt8]

    /// An option from its parts.
    public init(_ code: DHCPOptionCode, _ value: [UInt8]) {
        self.code = code
        self.value = value
    }
}

/// The options of one field in the order they stand there, with the padding.
public struct DHCPOptions: Hashable, Sendable {
    /// Every entry before END; a pad byte is an entry with the code 0 and no value.
    public var entries: [DHCPOption]
    /// Whether the END mark (255) closes them; some clients leave it out.
    public var isEnded: Bool
    /// What follows END, mostly zeros.
    public var trailer: [UInt8]

    /// Options from entries, closed by END.
    public init(_ entries: [DHCPOption] = []) {
        self.entries = entries
        isEnded = true
        trailer = []
    }

    /// The options of one field whose first byte stands `offset` bytes into the message.
    init(decoding bytes: Span<UInt8>, offset: Int) throws(DHCPDecodingError) {
        entries = []
        entries.reserveCapacity(16)
        isEnded = false
        trailer = []
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let start = reader.offset
            var code = DHCPOptionCode.pad
            do {
                code = DHCPOptionCode(rawValue: try reader.readUInt8())
                switch code {
                case .pad:
                    entries.append(DHCPOption(.pad, []))
                case .end:
                    isEnded = true
                    trailer = reader.readRemainingBytes()
                default:
                    let length = Int(try reader.readUInt8())
                    entries.append(DHCPOption(code, try reader.readBytes(length)))
                }
            } catch {
                throw .truncatedOption(code: code, offset: offset + start)
            }
        }
    }

    func write(to writer: inout ByteWriter) {
        for entry in entries {
            if entry.code == .pad || entry.code == .end {
                writer.writeUInt8(entry.code.rawValue)
            } else {
                entry.write(to: &writer)
            }
        }
        if isEnded { writer.writeUInt8(DHCPOptionCode.end.rawValue) }
        writer.writeBytes(trailer)
    }

    /// The first option with `code`.
    public func first(_ code: DHCPOptionCode) -> DHCPOption? {
        for entry in entries where entry.code == code { return entry }
        return nil
    }

    /// The entries without padding.
    public var meaningful: [DHCPOption] { entries.filter { $0.code != .pad } }

    /// Adds an option after the others.
    public mutating func append(_ option: DHCPOption) { entries.append(option) }
}

extension DHCPOption {
    /// Bytes this option takes, with a code and a length byte for each piece of up to 255.
    var encodedSize: Int { value.count + 2 * pieces }

    private var pieces: Int { max(1, (value.count + 254) / 255) }

    /// Writes the option, split into pieces of 255 bytes (RFC 3396 section 6).
    func write(to writer: inout ByteWriter) {
        var start = 0
        repeat {
            let end = min(value.count, start + 255)
            writer.writeUInt8(code.rawValue)
            writer.writeUInt8(UInt8(end - start))
            writer.writeBytes(value[start..<end])
            start = end
        } while start < value.count
    }
}
