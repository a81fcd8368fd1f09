/// An attribute of a file (RFC 8881, section 5.6; RFC 8275; RFC 8276; RFC 9754).
public struct NFS4Attribute: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// supported_attrs.
    @inlinable public static var supported: Self { Self(rawValue: 0) }
    /// type.
    @inlinable public static var type: Self { Self(rawValue: 1) }
    /// fh_expire_type.
    @inlinable public static var handleExpiry: Self { Self(rawValue: 2) }
    /// change.
    @inlinable public static var change: Self { Self(rawValue: 3) }
    /// size.
    @inlinable public static var size: Self { Self(rawValue: 4) }
    /// link_support.
    @inlinable public static var linkSupport: Self { Self(rawValue: 5) }
    /// symlink_support.
    @inlinable public static var symbolicLinkSupport: Self { Self(rawValue: 6) }
    /// named_attr.
    @inlinable public static var namedAttributes: Self { Self(rawValue: 7) }
    /// fsid.
    @inlinable public static var fileSystem: Self { Self(rawValue: 8) }
    /// unique_handles.
    @inlinable public static var uniqueHandles: Self { Self(rawValue: 9) }
    /// lease_time.
    @inlinable public static var leaseTime: Self { Self(rawValue: 10) }
    /// rdattr_error.
    @inlinable public static var readError: Self { Self(rawValue: 11) }
    /// acl.
    @inlinable public static var accessList: Self { Self(rawValue: 12) }
    /// aclsupport.
    @inlinable public static var aclSupport: Self { Self(rawValue: 13) }
    /// cansettime.
    @inlinable public static var canSetTime: Self { Self(rawValue: 15) }
    /// case_insensitive.
    @inlinable public static var caseInsensitive: Self { Self(rawValue: 16) }
    /// case_preserving.
    @inlinable public static var casePreserving: Self { Self(rawValue: 17) }
    /// chown_restricted.
    @inlinable public static var ownerRestricted: Self { Self(rawValue: 18) }
    /// filehandle.
    @inlinable public static var handle: Self { Self(rawValue: 19) }
    /// fileid.
    @inlinable public static var file: Self { Self(rawValue: 20) }
    /// files_avail.
    @inlinable public static var filesAvailable: Self { Self(rawValue: 21) }
    /// files_free.
    @inlinable public static var filesFree: Self { Self(rawValue: 22) }
    /// files_total.
    @inlinable public static var filesTotal: Self { Self(rawValue: 23) }
    /// homogeneous.
    @inlinable public static var homogeneous: Self { Self(rawValue: 26) }
    /// maxfilesize.
    @inlinable public static var largestFile: Self { Self(rawValue: 27) }
    /// maxlink.
    @inlinable public static var largestLink: Self { Self(rawValue: 28) }
    /// maxname.
    @inlinable public static var longestName: Self { Self(rawValue: 29) }
    /// maxread.
    @inlinable public static var largestRead: Self { Self(rawValue: 30) }
    /// maxwrite.
    @inlinable public static var largestWrite: Self { Self(rawValue: 31) }
    /// mode.
    @inlinable public static var mode: Self { Self(rawValue: 33) }
    /// no_trunc.
    @inlinable public static var noTruncation: Self { Self(rawValue: 34) }
    /// numlinks.
    @inlinable public static var links: Self { Self(rawValue: 35) }
    /// owner.
    @inlinable public static var owner: Self { Self(rawValue: 36) }
    /// owner_group.
    @inlinable public static var group: Self { Self(rawValue: 37) }
    /// rawdev.
    @inlinable public static var rawDevice: Self { Self(rawValue: 41) }
    /// space_avail.
    @inlinable public static var spaceAvailable: Self { Self(rawValue: 42) }
    /// space_free.
    @inlinable public static var spaceFree: Self { Self(rawValue: 43) }
    /// space_total.
    @inlinable public static var spaceTotal: Self { Self(rawValue: 44) }
    /// space_used.
    @inlinable public static var spaceUsed: Self { Self(rawValue: 45) }
    /// time_access.
    @inlinable public static var accessed: Self { Self(rawValue: 47) }
    /// time_access_set.
    @inlinable public static var accessedSet: Self { Self(rawValue: 48) }
    /// time_delta.
    @inlinable public static var timeStep: Self { Self(rawValue: 51) }
    /// time_metadata.
    @inlinable public static var changed: Self { Self(rawValue: 52) }
    /// time_modify.
    @inlinable public static var modified: Self { Self(rawValue: 53) }
    /// time_modify_set.
    @inlinable public static var modifiedSet: Self { Self(rawValue: 54) }
    /// mounted_on_fileid.
    @inlinable public static var mountedOnFile: Self { Self(rawValue: 55) }
    /// suppattr_exclcreat.
    @inlinable public static var exclusiveCreate: Self { Self(rawValue: 75) }
    /// clone_blksize.
    @inlinable public static var cloneBlock: Self { Self(rawValue: 77) }
    /// mode_umask.
    @inlinable public static var modeUmask: Self { Self(rawValue: 81) }
    /// xattr_support.
    @inlinable public static var extendedAttributes: Self { Self(rawValue: 82) }
    /// time_deleg_access.
    @inlinable public static var delegatedAccess: Self { Self(rawValue: 84) }
    /// time_deleg_modify.
    @inlinable public static var delegatedModify: Self { Self(rawValue: 85) }
    /// open_arguments.
    @inlinable public static var openArguments: Self { Self(rawValue: 86) }
}

extension NFS4Bitmap {
    /// What can be asked for in minor version 0.
    public static let supported0 = NFS4Bitmap(low: 0xf9be3efcffafff, high: 0x0)
    /// What can be asked for in minor version 1.
    public static let supported1 = NFS4Bitmap(low: 0xf9be3efcffafff, high: 0x700800)
    /// What can be asked for in minor version 2.
    public static let supported2 = NFS4Bitmap(low: 0xf9be3efcffafff, high: 0x762800)
    /// What can be set.
    public static let settable = NFS4Bitmap(low: 0x41003200001010, high: 0x320000)
    /// What can be told of the file system alone.
    public static let space = NFS4Bitmap(low: 0x1c0000e00000, high: 0x0)
    /// What can only be set.
    public static let writeOnly = NFS4Bitmap(low: 0x41000000000000, high: 0x320000)
    /// What can be asked for and set beside that where access lists are shown.
    public static let accessList = NFS4Bitmap(low: 1 << 12)
    /// What the holder of a write delegation is asked for.
    public static let held = NFS4Bitmap(low: 0x18)
    /// What it is asked for beside that when it keeps the times, and may set without a change of its own.
    public static let delegatedTimes = NFS4Bitmap(high: 0x300000)
    /// What a write delegation lets its holder know alone: change, size, time_metadata and time_modify.
    public static let changing = NFS4Bitmap(low: 0x3000_0000_0000_18)
    /// What can be set while a file is made exclusively.
    public static let exclusive = NFS4Bitmap(low: 0x3200000010, high: 0x0)
    /// The same in minor version 2: Linux leaves the umask to the server for every way of making a file, or for none.
    public static let exclusive2 = NFS4Bitmap(low: 0x3200000010, high: 0x20000)

    /// What can be asked for in a minor version.
    public static func supported(inMinor minor: UInt32) -> NFS4Bitmap {
        minor == 0 ? supported0 : minor == 1 ? supported1 : supported2
    }

    /// What can be set in a minor version while a file is made exclusively.
    public static func exclusive(inMinor minor: UInt32) -> NFS4Bitmap { minor < 2 ? exclusive : exclusive2 }
}
