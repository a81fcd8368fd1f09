public import XDR

/// What a caller may do with a file (RFC 1813, section 3.3.4).
public struct NFS3Access: OptionSet, Hashable, Sendable {
    /// The bits on the wire.
    public let rawValue: UInt32
    /// Any bits.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Read a file or list a directory.
    public static let read = Self(rawValue: 1)
    /// Look up names in a directory.
    public static let lookup = Self(rawValue: 2)
    /// Change what is there.
    public static let modify = Self(rawValue: 4)
    /// Add data or entries.
    public static let extend = Self(rawValue: 8)
    /// Delete entries.
    public static let delete = Self(rawValue: 16)
    /// Run a file.
    public static let execute = Self(rawValue: 32)
}

/// The arguments of ACCESS.
public struct NFS3AccessCall: Equatable, Sendable {
    /// Which file.
    public var handle: NFS3FileHandle
    /// What the caller wants to know about.
    public var wanted: NFS3Access

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        wanted = NFS3Access(rawValue: try reader.readUInt32())
    }
}
