public import XDR

/// The arguments of CREATE (RFC 1813, section 3.3.8).
public struct NFS3CreateCall: Equatable, Sendable {
    /// What to do when the name is taken (createhow3).
    public enum Mode: Hashable, Sendable {
        /// Use the file that is there.
        case unchecked(NFS3NewAttributes)
        /// Fail.
        case guarded(NFS3NewAttributes)
        /// Fail unless it was created by this very call, sent again: the verifier tells.
        case exclusive(UInt64)
    }

    /// Where and under which name.
    public var place: NFS3Name
    /// How.
    public var mode: Mode

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        place = try NFS3Name(decoding: &reader)
        let start = reader.offset
        switch try reader.readUInt32() {
        case 0: mode = .unchecked(try NFS3NewAttributes(decoding: &reader))
        case 1: mode = .guarded(try NFS3NewAttributes(decoding: &reader))
        case 2: mode = .exclusive(try reader.readUInt64())
        case let value: throw .invalid(offset: start, value: value)
        }
    }
}

/// The arguments of MKDIR (RFC 1813, section 3.3.9).
public struct NFS3MakeDirectoryCall: Equatable, Sendable {
    /// Where and under which name.
    public var place: NFS3Name
    /// Its attributes.
    public var attributes: NFS3NewAttributes

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        place = try NFS3Name(decoding: &reader)
        attributes = try NFS3NewAttributes(decoding: &reader)
    }
}

/// The arguments of SYMLINK (RFC 1813, section 3.3.10).
public struct NFS3SymbolicLinkCall: Equatable, Sendable {
    /// Where and under which name.
    public var place: NFS3Name
    /// Its attributes.
    public var attributes: NFS3NewAttributes
    /// What it points to; never followed here.
    public var target: [UInt8]

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        place = try NFS3Name(decoding: &reader)
        attributes = try NFS3NewAttributes(decoding: &reader)
        target = try reader.readBytes(limit: NFS3.pathLimit)
    }
}

/// The arguments of MKNOD (RFC 1813, section 3.3.11).
public struct NFS3MakeNodeCall: Equatable, Sendable {
    /// Where and under which name.
    public var place: NFS3Name
    /// What kind of file; only devices, sockets and pipes can be made.
    public var type: NFS3FileType
    /// Its attributes.
    public var attributes: NFS3NewAttributes
    /// Major and minor number of a device.
    public var major: UInt32 = 0
    /// See `major`.
    public var minor: UInt32 = 0

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        place = try NFS3Name(decoding: &reader)
        type = NFS3FileType(rawValue: try reader.readUInt32())
        attributes = NFS3NewAttributes()
        switch type {
        case .blockDevice, .characterDevice:
            attributes = try NFS3NewAttributes(decoding: &reader)
            major = try reader.readUInt32()
            minor = try reader.readUInt32()
        case .socket, .pipe: attributes = try NFS3NewAttributes(decoding: &reader)
        default: break
        }
    }
}
