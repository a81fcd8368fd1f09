import ByteCoding

/// A reply in its old form: one header, then the data of a READ.
public enum NBDSimpleReply {
    /// Bytes of the header on the wire.
    public static let headerSize = 16
    /// The first four bytes (NBD_SIMPLE_REPLY_MAGIC).
    public static let magic: UInt32 = 0x6744_6698

    /// Writes a header at the start of `bytes`, which must have room for it.
    public static func encode(cookie: UInt64, error: NBDErrorCode, into bytes: inout MutableRawSpan) {
        bytes.storeBytes(of: magic.bigEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: error.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
        bytes.storeBytes(of: cookie.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
}

/// A chunk of a structured reply: its header, and the forms of data that this server sends.
public enum NBDReplyChunk {
    /// Bytes of the header on the wire.
    public static let headerSize = 20
    /// Bytes before the data of a READ: the header and the offset.
    public static let dataHeaderSize = 28
    /// The first four bytes (NBD_STRUCTURED_REPLY_MAGIC).
    public static let magic: UInt32 = 0x668e_33ef

    /// What a chunk holds (NBD_REPLY_TYPE_…).
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The number on the wire; the top bit marks an error.
        public var rawValue: UInt16
        /// The kind with this number.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// Nothing: the request is done.
        public static let none = Kind(rawValue: 0)
        /// An offset and data.
        public static let offsetData = Kind(rawValue: 1)
        /// An offset and a length of zeros.
        public static let offsetHole = Kind(rawValue: 2)
        /// A context's number and extents.
        public static let blockStatus = Kind(rawValue: 5)
        /// An error code and a text.
        public static let error = Kind(rawValue: 0x8001)
        /// An error code, a text and an offset.
        public static let errorOffset = Kind(rawValue: 0x8002)
    }

    /// Writes the header of the last chunk of a reply at the start of `bytes`, which must have room for it.
    public static func encodeFinal(_ kind: Kind, cookie: UInt64, length: UInt32, into bytes: inout MutableRawSpan) {
        bytes.storeBytes(of: magic.bigEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: UInt16(1).bigEndian, toByteOffset: 4, as: UInt16.self)  // NBD_REPLY_FLAG_DONE
        bytes.storeBytes(of: kind.rawValue.bigEndian, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: cookie.bigEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: length.bigEndian, toByteOffset: 16, as: UInt32.self)
    }

    /// Writes header and offset of the one chunk that answers a READ of `length` bytes; the data follow.
    public static func encodeData(cookie: UInt64, offset: UInt64, length: UInt32, into bytes: inout MutableRawSpan) {
        encodeFinal(.offsetData, cookie: cookie, length: length + 8, into: &bytes)
        bytes.storeBytes(of: offset.bigEndian, toByteOffset: 20, as: UInt64.self)
    }

    /// A whole error chunk.
    public static func error(_ code: NBDErrorCode, cookie: UInt64, reason: String) -> [UInt8] {
        let text = Array(reason.utf8.prefix(1024))
        var writer = ByteWriter(capacity: headerSize + 6 + text.count)
        writeHeader(.error, cookie: cookie, length: 6 + text.count, to: &writer)
        writer.writeUInt32(code.rawValue)
        writer.writeUInt16(UInt16(text.count))
        writer.writeBytes(text)
        return writer.bytes
    }

    /// A whole block-status chunk: `extents` from the request's offset on, in order.
    public static func blockStatus(
        context: UInt32,
        cookie: UInt64,
        extents: [(length: UInt32, state: NBDAllocationState)]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: headerSize + 4 + extents.count * 8)
        writeHeader(.blockStatus, cookie: cookie, length: 4 + extents.count * 8, to: &writer)
        writer.writeUInt32(context)
        for extent in extents {
            writer.writeUInt32(extent.length)
            writer.writeUInt32(extent.state.rawValue)
        }
        return writer.bytes
    }

    private static func writeHeader(_ kind: Kind, cookie: UInt64, length: Int, to writer: inout ByteWriter) {
        writer.writeUInt32(magic)
        writer.writeUInt16(1)
        writer.writeUInt16(kind.rawValue)
        writer.writeUInt64(cookie)
        writer.writeUInt32(UInt32(length))
    }
}
