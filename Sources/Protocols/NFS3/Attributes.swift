public import XDR

/// A point in time (nfstime3): seconds and nanoseconds since 1970.
public struct NFS3Time: Hashable, Sendable {
    /// Whole seconds.
    public var seconds: UInt32
    /// And nanoseconds.
    public var nanoseconds: UInt32

    /// A time.
    @inlinable public init(seconds: UInt32, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    @_lifetime(reader: copy reader)
    init(decoding reader: inout XDRReader) throws(XDRError) {
        seconds = try reader.readUInt32()
        nanoseconds = try reader.readUInt32()
    }

    @inlinable func encode(into writer: inout XDRWriter) {
        writer.write(seconds)
        writer.write(nanoseconds)
    }
}

/// What kind of file (ftype3).
public struct NFS3FileType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// NF3REG.
    public static let regular = Self(rawValue: 1)
    /// NF3DIR.
    public static let directory = Self(rawValue: 2)
    /// NF3BLK.
    public static let blockDevice = Self(rawValue: 3)
    /// NF3CHR.
    public static let characterDevice = Self(rawValue: 4)
    /// NF3LNK.
    public static let symbolicLink = Self(rawValue: 5)
    /// NF3SOCK.
    public static let socket = Self(rawValue: 6)
    /// NF3FIFO.
    public static let pipe = Self(rawValue: 7)
}

/// The attributes of a file (fattr3, RFC 1813, section 2.6).
public struct NFS3Attributes: Hashable, Sendable {
    /// Bytes on the wire.
    public static let size = 84

    /// The kind of file.
    public var type: NFS3FileType
    /// Permission bits with setuid, setgid and sticky.
    public var mode: UInt32
    /// Hard links.
    public var links: UInt32
    /// Owner.
    public var user: UInt32
    /// Group.
    public var group: UInt32
    /// Size in bytes.
    public var size: UInt64
    /// Bytes on disk.
    public var used: UInt64
    /// Major and minor number of a device.
    public var device: (major: UInt32, minor: UInt32) {
        @inlinable get { (UInt32(deviceNumber >> 32), UInt32(truncatingIfNeeded: deviceNumber)) }
    }
    /// Major number in the upper, minor number in the lower half.
    public var deviceNumber: UInt64
    /// Which file system.
    public var fileSystem: UInt64
    /// Number of the file in it.
    public var file: UInt64
    /// Last access.
    public var accessed: NFS3Time
    /// Last change of the contents.
    public var modified: NFS3Time
    /// Last change of contents or attributes.
    public var changed: NFS3Time

    /// All attributes.
    @inlinable public init(
        type: NFS3FileType,
        mode: UInt32,
        links: UInt32,
        user: UInt32,
        group: UInt32,
        size: UInt64,
        used: UInt64,
        deviceNumber: UInt64,
        fileSystem: UInt64,
        file: UInt64,
        accessed: NFS3Time,
        modified: NFS3Time,
        changed: NFS3Time
    ) {
        self.type = type
        self.mode = mode
        self.links = links
        self.user = user
        self.group = group
        self.size = size
        self.used = used
        self.deviceNumber = deviceNumber
        self.fileSystem = fileSystem
        self.file = file
        self.accessed = accessed
        self.modified = modified
        self.changed = changed
    }

    /// Reads them, as a client does.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        type = NFS3FileType(rawValue: try reader.readUInt32())
        mode = try reader.readUInt32()
        links = try reader.readUInt32()
        user = try reader.readUInt32()
        group = try reader.readUInt32()
        size = try reader.readUInt64()
        used = try reader.readUInt64()
        deviceNumber = try reader.readUInt64()
        fileSystem = try reader.readUInt64()
        file = try reader.readUInt64()
        accessed = try NFS3Time(decoding: &reader)
        modified = try NFS3Time(decoding: &reader)
        changed = try NFS3Time(decoding: &reader)
    }

    /// Writes them.
    public func encode(into writer: inout XDRWriter) {
        writer.write(type.rawValue)
        writer.write(mode)
        writer.write(links)
        writer.write(user)
        writer.write(group)
        writer.write(size)
        writer.write(used)
        writer.write(deviceNumber)
        writer.write(fileSystem)
        writer.write(file)
        accessed.encode(into: &writer)
        modified.encode(into: &writer)
        changed.encode(into: &writer)
    }

    /// Writes them as an optional (post_op_attr).
    public static func encode(_ attributes: NFS3Attributes?, into writer: inout XDRWriter) {
        writer.write(attributes != nil)
        attributes?.encode(into: &writer)
    }

    /// What tells a change when it is compared with later attributes (wcc_attr).
    @inlinable public var beforeChange: NFS3BeforeChange {
        NFS3BeforeChange(size: size, modified: modified, changed: changed)
    }
}

/// What is told about a file as it was before a change (wcc_attr).
public struct NFS3BeforeChange: Hashable, Sendable {
    /// Size in bytes.
    public var size: UInt64
    /// Last change of the contents.
    public var modified: NFS3Time
    /// Last change of contents or attributes.
    public var changed: NFS3Time

    /// All of it.
    @inlinable public init(size: UInt64, modified: NFS3Time, changed: NFS3Time) {
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Writes weak cache consistency data (wcc_data, RFC 1813, section 2.6): before and after, each if it is known.
    public static func encode(
        before: NFS3BeforeChange?,
        after: NFS3Attributes?,
        into writer: inout XDRWriter
    ) {
        writer.write(before != nil)
        if let before {
            writer.write(before.size)
            before.modified.encode(into: &writer)
            before.changed.encode(into: &writer)
        }
        NFS3Attributes.encode(after, into: &writer)
    }
}
