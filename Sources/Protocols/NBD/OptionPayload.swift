import ByteCoding

/// The data of NBD_OPT_INFO and NBD_OPT_GO: which export, and what to tell about it.
struct InfoPayload {
    var name: String
    var wanted: [NBDInfo]

    /// Decodes; the lengths inside must add up to the option's length.
    init(_ data: Span<UInt8>) throws(OptionPayloadError) {
        var reader = ByteReader(data)
        name = try reader.readName()
        do {
            let count = Int(try reader.readUInt16())
            guard reader.remaining == count * 2 else { throw OptionPayloadError.wrongLength }
            wanted = []
            for _ in 0..<count { wanted.append(NBDInfo(rawValue: try reader.readUInt16())) }
        } catch { throw .wrongLength }
    }
}

/// The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.
struct MetaContextPayload {
    var name: String
    var queries: [String]

    /// The most queries that are read; clients ask for one or two.
    static let maximumQueries = 64

    /// Decodes; the lengths inside must add up to the option's length.
    init(_ data: Span<UInt8>) throws(OptionPayloadError) {
        var reader = ByteReader(data)
        name = try reader.readName()
        queries = []
        let count: Int
        do { count = Int(try reader.readUInt32()) } catch { throw .wrongLength }
        guard count <= Self.maximumQueries else { throw .tooMany }
        for _ in 0..<count { queries.append(try reader.readName()) }
        guard reader.isAtEnd else { throw .wrongLength }
    }
}

/// What is wrong with an option's data.
enum OptionPayloadError: Error {
    case wrongLength, nameTooLong, nameNotUTF8, tooMany

    var text: String {
        switch self {
        case .wrongLength: "the lengths inside the option do not match its length"
        case .nameTooLong: "a name is longer than \(NBDHandshake.maximumNameLength) bytes"
        case .nameNotUTF8: "a name is not UTF-8 text without NUL"
        case .tooMany: "more than \(MetaContextPayload.maximumQueries) queries"
        }
    }
}

extension ByteReader {
    /// A string with a 32-bit length before it.
    @_lifetime(self: copy self)
    mutating func readName() throws(OptionPayloadError) -> String {
        let bytes: [UInt8]
        do {
            let length = try readUInt32()
            guard length <= UInt32(NBDHandshake.maximumNameLength) else { throw OptionPayloadError.nameTooLong }
            bytes = try readBytes(Int(length))
        } catch let error as OptionPayloadError { throw error } catch { throw .wrongLength }
        return try decodeName(bytes)
    }
}

/// UTF-8 without NUL, as the protocol wants its strings.
func decodeName(_ bytes: [UInt8]) throws(OptionPayloadError) -> String {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { throw .nameNotUTF8 }
    return text
}
