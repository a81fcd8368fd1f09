public import XDR

/// The results of FSSTAT (RFC 1813, section 3.3.18).
public struct NFS3FileSystemStatus: Hashable, Sendable {
    /// Size in bytes.
    public var totalBytes: UInt64 = 0
    /// Free bytes.
    public var freeBytes: UInt64 = 0
    /// Free bytes for this caller.
    public var availableBytes: UInt64 = 0
    /// Files there can be.
    public var totalFiles: UInt64 = 0
    /// Files there can be in addition.
    public var freeFiles: UInt64 = 0
    /// The same for this caller.
    public var availableFiles: UInt64 = 0

    /// Nothing known.
    public init() {}

    /// Writes a success.
    public func encode(_ attributes: NFS3Attributes?, into writer: inout XDRWriter) {
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(attributes, into: &writer)
        for value in [totalBytes, freeBytes, availableBytes, totalFiles, freeFiles, availableFiles] {
            writer.write(value)
        }
        // How long these will hold: not at all.
        writer.write(0 as UInt32)
    }
}

/// The results of FSINFO (RFC 1813, section 3.3.19): what this server can do, the same for all its file systems.
public struct NFS3FileSystemInfo: Hashable, Sendable {
    /// FSF3_LINK, FSF3_SYMLINK, FSF3_HOMOGENEOUS and FSF3_CANSETTIME.
    public static let properties: UInt32 = 0x1b

    /// The longest and the best READ and WRITE, in bytes.
    public var transferSize: UInt32
    /// The best size of a directory listing, in bytes.
    public var listingSize: UInt32

    /// These limits.
    public init(transferSize: UInt32, listingSize: UInt32) {
        self.transferSize = transferSize
        self.listingSize = listingSize
    }

    /// Writes a success.
    public func encode(_ attributes: NFS3Attributes?, into writer: inout XDRWriter) {
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(attributes, into: &writer)
        for _ in ["READ", "WRITE"] {
            writer.write(transferSize)
            writer.write(transferSize)
            writer.write(4096 as UInt32)
        }
        writer.write(listingSize)
        writer.write(UInt64(Int64.max))
        // Times are kept to the nanosecond.
        writer.write(0 as UInt32)
        writer.write(1 as UInt32)
        writer.write(Self.properties)
    }
}

/// The results of PATHCONF (RFC 1813, section 3.3.20).
public struct NFS3PathConfiguration: Hashable, Sendable {
    /// Hard links that a file can have.
    public var linkLimit: UInt32
    /// Bytes that a name can have.
    public var nameLimit: UInt32

    /// These limits; names are refused when too long, ownership is restricted, case matters and is kept.
    public init(linkLimit: UInt32, nameLimit: UInt32) {
        self.linkLimit = linkLimit
        self.nameLimit = nameLimit
    }

    /// Writes a success.
    public func encode(_ attributes: NFS3Attributes?, into writer: inout XDRWriter) {
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(attributes, into: &writer)
        writer.write(linkLimit)
        writer.write(nameLimit)
        writer.write(true)
        writer.write(true)
        writer.write(false)
        writer.write(true)
    }
}
