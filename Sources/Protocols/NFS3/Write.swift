public import XDR

/// How durable written data must be before the reply (stable_how).
public struct NFS3Stability: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// May be lost until COMMIT.
    public static let unstable = Self(rawValue: 0)
    /// The data and what is needed to find them.
    public static let dataSync = Self(rawValue: 1)
    /// The data and all attributes.
    public static let fileSync = Self(rawValue: 2)
}

/// The arguments of WRITE before its data (RFC 1813, section 3.3.7); the data follow in the record.
public struct NFS3WriteCall: Equatable, Sendable {
    /// Which file.
    public var handle: NFS3FileHandle
    /// To where, in bytes.
    public var offset: UInt64
    /// How many bytes.
    public var count: UInt32
    /// How durable.
    public var stability: NFS3Stability
    /// How many bytes of data the record says to hold; the head is only right when it is `count`.
    public var length: UInt32

    /// Reads them; `reader` stands at the data afterwards.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        offset = try reader.readUInt64()
        count = try reader.readUInt32()
        let start = reader.offset
        stability = NFS3Stability(rawValue: try reader.readUInt32())
        guard stability.rawValue <= 2 else { throw .invalid(offset: start, value: stability.rawValue) }
        length = try reader.readUInt32()
        guard length >= count else { throw .invalid(offset: start + 4, value: length) }
    }
}

/// The arguments of COMMIT (RFC 1813, section 3.3.21).
public struct NFS3CommitCall: Equatable, Sendable {
    /// Which file.
    public var handle: NFS3FileHandle
    /// From where, in bytes.
    public var offset: UInt64
    /// How many bytes; 0 for all behind `offset`.
    public var count: UInt32

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        offset = try reader.readUInt64()
        count = try reader.readUInt32()
    }
}
