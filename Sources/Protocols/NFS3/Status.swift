/// How a procedure ended (nfsstat3, RFC 1813, section 2.6).
public struct NFS3Status: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// NFS3_OK.
    public static let ok = Self(rawValue: 0)
    /// NFS3ERR_PERM: only the owner or root may.
    public static let notOwner = Self(rawValue: 1)
    /// NFS3ERR_NOENT.
    public static let noEntry = Self(rawValue: 2)
    /// NFS3ERR_IO.
    public static let inputOutput = Self(rawValue: 5)
    /// NFS3ERR_NXIO.
    public static let noDevice = Self(rawValue: 6)
    /// NFS3ERR_ACCES.
    public static let accessDenied = Self(rawValue: 13)
    /// NFS3ERR_EXIST.
    public static let exists = Self(rawValue: 17)
    /// NFS3ERR_XDEV.
    public static let crossDevice = Self(rawValue: 18)
    /// NFS3ERR_NODEV.
    public static let wrongDevice = Self(rawValue: 19)
    /// NFS3ERR_NOTDIR.
    public static let notDirectory = Self(rawValue: 20)
    /// NFS3ERR_ISDIR.
    public static let isDirectory = Self(rawValue: 21)
    /// NFS3ERR_INVAL.
    public static let invalid = Self(rawValue: 22)
    /// NFS3ERR_FBIG.
    public static let tooBig = Self(rawValue: 27)
    /// NFS3ERR_NOSPC.
    public static let noSpace = Self(rawValue: 28)
    /// NFS3ERR_ROFS.
    public static let readOnly = Self(rawValue: 30)
    /// NFS3ERR_MLINK.
    public static let tooManyLinks = Self(rawValue: 31)
    /// NFS3ERR_NAMETOOLONG.
    public static let nameTooLong = Self(rawValue: 63)
    /// NFS3ERR_NOTEMPTY.
    public static let notEmpty = Self(rawValue: 66)
    /// NFS3ERR_DQUOT.
    public static let quota = Self(rawValue: 69)
    /// NFS3ERR_STALE: the file of this handle is gone.
    public static let stale = Self(rawValue: 70)
    /// NFS3ERR_BADHANDLE: we never gave such a handle.
    public static let badHandle = Self(rawValue: 10001)
    /// NFS3ERR_NOT_SYNC: the guard of SETATTR does not hold.
    public static let notSynchronized = Self(rawValue: 10002)
    /// NFS3ERR_BAD_COOKIE.
    public static let badCookie = Self(rawValue: 10003)
    /// NFS3ERR_NOTSUPP.
    public static let notSupported = Self(rawValue: 10004)
    /// NFS3ERR_TOOSMALL.
    public static let tooSmall = Self(rawValue: 10005)
    /// NFS3ERR_SERVERFAULT.
    public static let serverFault = Self(rawValue: 10006)
    /// NFS3ERR_BADTYPE.
    public static let badType = Self(rawValue: 10007)
    /// NFS3ERR_JUKEBOX: ask again later.
    public static let tryLater = Self(rawValue: 10008)
}
