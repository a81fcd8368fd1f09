import ByteCoding

/// The header of one request; the data of a WRITE follow it on the wire.
public struct NBDRequest: Equatable, Sendable {
    /// Bytes of the header on the wire.
    public static let headerSize = 28
    /// The first four bytes of every request (NBD_REQUEST_MAGIC).
    public static let magic: UInt32 = 0x2560_9513

    /// How to do it.
    public var flags: NBDCommandFlags
    /// What to do.
    public var command: NBDCommand
    /// Chosen by the client, repeated in the reply.
    public var cookie: UInt64
    /// Where, in bytes from the start of the export.
    public var offset: UInt64
    /// How many bytes.
    public var length: UInt32

    /// A request.
    public init(
        _ command: NBDCommand,
        flags: NBDCommandFlags = [],
        cookie: UInt64,
        offset: UInt64 = 0,
        length: UInt32 = 0
    ) {
        self.flags = flags
        self.command = command
        self.cookie = cookie
        self.offset = offset
        self.length = length
    }

    /// Decodes the header at the start of `bytes`, which may be longer.
    ///
    /// A wrong magic number means that both sides lost count: the connection cannot go on.
    public init(decoding bytes: Span<UInt8>) throws(NBDRequestError) {
        var reader = ByteReader(bytes)
        do {
            guard try reader.readUInt32() == Self.magic else { throw NBDRequestError.badMagic }
            flags = NBDCommandFlags(rawValue: try reader.readUInt16())
            command = NBDCommand(rawValue: try reader.readUInt16())
            cookie = try reader.readUInt64()
            offset = try reader.readUInt64()
            length = try reader.readUInt32()
        } catch let error as NBDRequestError { throw error } catch { throw .truncated }
    }

    /// How many bytes of data follow the header.
    @inlinable public var payloadLength: Int { command == .write ? Int(length) : 0 }

    /// The header as bytes.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.headerSize)
        writer.writeUInt32(Self.magic)
        writer.writeUInt16(flags.rawValue)
        writer.writeUInt16(command.rawValue)
        writer.writeUInt64(cookie)
        writer.writeUInt64(offset)
        writer.writeUInt32(length)
        return writer.bytes
    }
}

/// A request header that cannot be read.
public enum NBDRequestError: Error, Equatable, Sendable {
    /// The bytes are not a request.
    case badMagic
    /// Fewer than `NBDRequest.headerSize` bytes.
    case truncated
}
