public import XDR

/// The arguments of READ (RFC 1813, section 3.3.6).
public struct NFS3ReadCall: Equatable, Sendable {
    /// Which file.
    public var handle: NFS3FileHandle
    /// From where, in bytes.
    public var offset: UInt64
    /// How many bytes at most.
    public var count: UInt32

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        offset = try reader.readUInt64()
        count = try reader.readUInt32()
    }
}

/// The result of READ; the data, `count` bytes and their padding, follow its head.
public enum NFS3ReadReply {
    /// Bytes of the head of a success that tells the attributes.
    public static let headSize = 4 + 4 + NFS3Attributes.size + 12

    /// Writes the head of a success.
    public static func encode(
        _ attributes: NFS3Attributes,
        count: Int,
        isAtEnd: Bool,
        into writer: inout XDRWriter
    ) {
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(attributes, into: &writer)
        writer.write(UInt32(truncatingIfNeeded: count))
        writer.write(isAtEnd)
        writer.write(UInt32(truncatingIfNeeded: count))
    }
}
