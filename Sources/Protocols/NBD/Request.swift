import ByteCoding

/// The header of one request; the data of a WRITE follow it on the wire.
public struct NBDRequest: Equatable, Sendable {
    /// Bytes of the compact header on the wire.
    public static let headerSize = 28
    /// The first four bytes of a compact request (NBD_REQUEST_MAGIC).
    public static let magic: UInt32 = 0x2560_9513
    /// Bytes of the extended header on the wire.
    public static let extendedHeaderSize = 32
    /// The first four bytes of an extended request (NBD_EXTENDED_REQUEST_MAGIC).
    public static let extendedMagic: UInt32 = 0x21e4_1c71

    /// How to do it; without `payloadLength`, which is in `hasPayload`.
    public var flags: NBDCommandFlags
    /// What to do.
    public var command: NBDCommand
    /// Chosen by the client, repeated in the reply.
    public var cookie: UInt64
    /// Where, in bytes from the start of the export.
    public var offset: UInt64
    /// How many bytes; more than 32 bits in extended headers alone.
    public var length: UInt64
    /// Whether `length` bytes of data follow the header.
    public var hasPayload: Bool

    /// A request; data follow a WRITE.
    public init(
        _ command: NBDCommand,
        flags: NBDCommandFlags = [],
        cookie: UInt64,
        offset: UInt64 = 0,
        length: UInt64 = 0
    ) {
        self.flags = flags
        self.command = command
        self.cookie = cookie
        self.offset = offset
        self.length = length
        hasPayload = command == .write
    }

    /// Decodes the header at the start of `bytes`, which may be longer.
    ///
    /// A wrong magic number means that both sides lost count: the connection cannot go on.
    public init(decoding bytes: Span<UInt8>, extended: Bool = false) throws(NBDRequestError) {
        var reader = ByteReader(bytes)
        do {
            let magic = extended ? Self.extendedMagic : Self.magic
            guard try reader.readUInt32() == magic else { throw NBDRequestError.badMagic }
            flags = NBDCommandFlags(rawValue: try reader.readUInt16())
            command = NBDCommand(rawValue: try reader.readUInt16())
            cookie = try reader.readUInt64()
            offset = try reader.readUInt64()
            length = extended ? try reader.readUInt64() : UInt64(try reader.readUInt32())
            hasPayload = extended ? flags.contains(.payloadLength) : command == .write
            if extended { flags.remove(.payloadLength) }
        } catch let error as NBDRequestError { throw error } catch { throw .truncated }
    }

    /// How many bytes of data follow the header.
    @inlinable public var payloadLength: Int { hasPayload ? Int(clamping: length) : 0 }

    /// The compact header as bytes.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.headerSize)
        writer.writeUInt32(Self.magic)
        writer.writeUInt16(flags.rawValue)
        writer.writeUInt16(command.rawValue)
        writer.writeUInt64(cookie)
        writer.writeUInt64(offset)
        writer.writeUInt32(UInt32(truncatingIfNeeded: length))
        return writer.bytes
    }

    /// The extended header as bytes.
    public var extendedHeader: [UInt8] {
        var writer = ByteWriter(capacity: Self.extendedHeaderSize)
        writer.writeUInt32(Self.extendedMagic)
        writer.writeUInt16(flags.union(hasPayload ? .payloadLength : []).rawValue)
        writer.writeUInt16(command.rawValue)
        writer.writeUInt64(cookie)
        writer.writeUInt64(offset)
        writer.writeUInt64(length)
        return writer.bytes
    }
}

/// A request header that cannot be read.
public enum NBDRequestError: Error, Equatable, Sendable {
    /// The bytes are not a request.
    case badMagic
    /// Fewer bytes than a header has.
    case truncated
}
