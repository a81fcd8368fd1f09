/// Which delegation a client would like with an OPEN (RFC 8881, section 18.16.3; RFC 9754, section 5).
public enum NFS4DelegationWish: Sendable {
    /// The one the server sees fit.
    case any
    /// One for reading alone.
    case read
    /// One for writing alone.
    case write
    /// None at all.
    case none
    /// None, and none later either.
    case cancel

    /// The wish in an OPEN's access bits; nil when they say something that has no meaning.
    public init?(access: UInt32) {
        switch access & 0xff00 {
        case 0, 0x300: self = .any
        case 0x100: self = .read
        case 0x200: self = .write
        case 0x400: self = .none
        case 0x500: self = .cancel
        default: return nil
        }
    }

    /// OPEN4_SHARE_ACCESS_WANT_DELEG_MASK: whether a client says anything at all.
    public static let mask: UInt32 = 0xff00
    /// OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL and _PUSH_DELEG_WHEN_UNCONTENDED, which nothing comes of.
    public static let later: UInt32 = 0x3_0000
    /// OPEN4_SHARE_ACCESS_WANT_DELEG_TIMESTAMPS: the client would keep the times.
    public static let times: UInt32 = 0x10_0000
}

/// Why there is no delegation (why_no_delegation4).
public enum NFS4NoDelegation: UInt32, Error, Sendable {
    /// WND4_NOT_WANTED.
    case notWanted = 0
    /// WND4_CONTENTION.
    case contention = 1
    /// WND4_RESOURCE.
    case resource = 2
    /// WND4_NOT_SUPP_UPGRADE.
    case noUpgrade = 5
    /// WND4_NOT_SUPP_DOWNGRADE.
    case noDowngrade = 6
    /// WND4_CANCELLED.
    case cancelled = 7

    /// Whether a word follows that says if the client will be told later.
    public var saysLater: Bool { self == .contention || self == .resource }
}
