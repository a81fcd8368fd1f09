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

/// A chunk of a structured or extended reply: its header, and the forms of data that this server sends.
public struct NBDReplyChunk: Sendable {
    /// The first four bytes of a structured one (NBD_STRUCTURED_REPLY_MAGIC).
    public static let magic: UInt32 = 0x668e_33ef
    /// The first four bytes of an extended one (NBD_EXTENDED_REPLY_MAGIC).
    public static let extendedMagic: UInt32 = 0x6e8a_278c

    /// Whether headers are extended.
    public var isExtended: Bool

    /// Chunks of a structured or an extended reply.
    public init(extended: Bool) { isExtended = extended }

    /// Bytes of the header on the wire.
    public var headerSize: Int { isExtended ? 32 : 20 }
    /// Bytes before the data of a READ: the header and the offset.
    public var dataHeaderSize: Int { headerSize + 8 }

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
        /// A context's number and extents, in structured replies.
        public static let blockStatus = Kind(rawValue: 5)
        /// The same with 64-bit numbers, in extended replies.
        public static let extendedBlockStatus = Kind(rawValue: 6)
        /// An error code and a text.
        public static let error = Kind(rawValue: 0x8001)
        /// An error code, a text and an offset.
        public static let errorOffset = Kind(rawValue: 0x8002)
    }

    /// Writes the header of the last chunk of a reply at the start of `bytes`, which must have room for it.
    public func encodeFinal(_ kind: Kind, to request: NBDRequest, length: Int, into bytes: inout MutableRawSpan) {
        bytes.storeBytes(
            of: (isExtended ? Self.extendedMagic : Self.magic).bigEndian,
            toByteOffset: 0,
            as: UInt32.self
        )
        bytes.storeBytes(of: UInt16(1).bigEndian, toByteOffset: 4, as: UInt16.self)  // NBD_REPLY_FLAG_DONE
        bytes.storeBytes(of: kind.rawValue.bigEndian, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: request.cookie.bigEndian, toByteOffset: 8, as: UInt64.self)
        if isExtended {
            bytes.storeBytes(of: request.offset.bigEndian, toByteOffset: 16, as: UInt64.self)
            bytes.storeBytes(of: UInt64(length).bigEndian, toByteOffset: 24, as: UInt64.self)
        } else {
            bytes.storeBytes(of: UInt32(length).bigEndian, toByteOffset: 16, as: UInt32.self)
        }
    }

    /// Writes header and offset of the one chunk that answers a READ whole; the data follow.
    public func encodeData(to request: NBDRequest, into bytes: inout MutableRawSpan) {
        encodeFinal(.offsetData, to: request, length: Int(request.length) + 8, into: &bytes)
        bytes.storeBytes(of: request.offset.bigEndian, toByteOffset: headerSize, as: UInt64.self)
    }

    /// A whole chunk without data: the request is done.
    public func done(_ request: NBDRequest) -> [UInt8] { chunk(.none, to: request, []) }

    /// A whole error chunk.
    public func error(_ code: NBDErrorCode, to request: NBDRequest, reason: String) -> [UInt8] {
        let text = Array(reason.utf8.prefix(1024))
        var writer = ByteWriter(capacity: 6 + text.count)
        writer.writeUInt32(code.rawValue)
        writer.writeUInt16(UInt16(text.count))
        writer.writeBytes(text)
        return chunk(.error, to: request, writer.bytes)
    }

    /// A whole block-status chunk: `extents` from the request's offset on, in order.
    ///
    /// In structured replies an extent of 4 GiB and more is told as one that is shorter.
    public func blockStatus(
        context: UInt32,
        to request: NBDRequest,
        extents: [(length: UInt64, state: NBDAllocationState)]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 8 + extents.count * 16)
        writer.writeUInt32(context)
        if isExtended {
            writer.writeUInt32(UInt32(extents.count))
            for extent in extents {
                writer.writeUInt64(extent.length)
                writer.writeUInt64(UInt64(extent.state.rawValue))
            }
            return chunk(.extendedBlockStatus, to: request, writer.bytes)
        }
        for extent in extents {
            writer.writeUInt32(UInt32(clamping: extent.length))
            writer.writeUInt32(extent.state.rawValue)
            // What follows would be taken for what lies behind the told length.
            if extent.length > UInt64(UInt32.max) { break }
        }
        return chunk(.blockStatus, to: request, writer.bytes)
    }

    private func chunk(_ kind: Kind, to request: NBDRequest, _ data: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headerSize)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        encodeFinal(kind, to: request, length: data.count, into: &raw)
        return bytes + data
    }
}

extension NBDHeaders {
    /// Bytes before the data of a READ.
    public var readHeaderSize: Int {
        self == .simple ? NBDSimpleReply.headerSize : NBDReplyChunk(extended: self == .extended).dataHeaderSize
    }

    /// Writes what comes before the data of a READ at the start of `bytes`, which must have room for it.
    public func encodeReadHeader(to request: NBDRequest, into bytes: inout MutableRawSpan) {
        guard self == .simple else {
            return NBDReplyChunk(extended: self == .extended).encodeData(to: request, into: &bytes)
        }
        NBDSimpleReply.encode(cookie: request.cookie, error: .none, into: &bytes)
    }
}
