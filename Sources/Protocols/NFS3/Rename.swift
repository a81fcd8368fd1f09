public import XDR

/// The arguments of RENAME (RFC 1813, section 3.3.14).
public struct NFS3RenameCall: Equatable, Sendable {
    /// The old name.
    public var from: NFS3Name
    /// The new name.
    public var to: NFS3Name

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        from = try NFS3Name(decoding: &reader)
        to = try NFS3Name(decoding: &reader)
    }
}

/// The arguments of LINK (RFC 1813, section 3.3.15).
public struct NFS3LinkCall: Equatable, Sendable {
    /// The file.
    public var handle: NFS3FileHandle
    /// Its further name.
    public var place: NFS3Name

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        place = try NFS3Name(decoding: &reader)
    }
}
