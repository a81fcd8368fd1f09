/// What became of an operation (nfsstat4; RFC 8881, section 15.1).
public struct NFS4Status: RawRepresentable, Hashable, Sendable, Error {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// NFS4_OK.
    @inlinable public static var ok: Self { Self(rawValue: 0) }
    /// NFS4ERR_PERM.
    @inlinable public static var notOwner: Self { Self(rawValue: 1) }
    /// NFS4ERR_NOENT.
    @inlinable public static var noEntry: Self { Self(rawValue: 2) }
    /// NFS4ERR_IO.
    @inlinable public static var inputOutput: Self { Self(rawValue: 5) }
    /// NFS4ERR_NXIO.
    @inlinable public static var noDevice: Self { Self(rawValue: 6) }
    /// NFS4ERR_ACCESS.
    @inlinable public static var accessDenied: Self { Self(rawValue: 13) }
    /// NFS4ERR_EXIST.
    @inlinable public static var exists: Self { Self(rawValue: 17) }
    /// NFS4ERR_XDEV.
    @inlinable public static var crossDevice: Self { Self(rawValue: 18) }
    /// NFS4ERR_NOTDIR.
    @inlinable public static var notDirectory: Self { Self(rawValue: 20) }
    /// NFS4ERR_ISDIR.
    @inlinable public static var isDirectory: Self { Self(rawValue: 21) }
    /// NFS4ERR_INVAL.
    @inlinable public static var invalid: Self { Self(rawValue: 22) }
    /// NFS4ERR_FBIG.
    @inlinable public static var tooBig: Self { Self(rawValue: 27) }
    /// NFS4ERR_NOSPC.
    @inlinable public static var noSpace: Self { Self(rawValue: 28) }
    /// NFS4ERR_ROFS.
    @inlinable public static var readOnly: Self { Self(rawValue: 30) }
    /// NFS4ERR_MLINK.
    @inlinable public static var tooManyLinks: Self { Self(rawValue: 31) }
    /// NFS4ERR_NAMETOOLONG.
    @inlinable public static var nameTooLong: Self { Self(rawValue: 63) }
    /// NFS4ERR_NOTEMPTY.
    @inlinable public static var notEmpty: Self { Self(rawValue: 66) }
    /// NFS4ERR_DQUOT.
    @inlinable public static var quota: Self { Self(rawValue: 69) }
    /// NFS4ERR_STALE.
    @inlinable public static var stale: Self { Self(rawValue: 70) }
    /// NFS4ERR_BADHANDLE.
    @inlinable public static var badHandle: Self { Self(rawValue: 10001) }
    /// NFS4ERR_BAD_COOKIE.
    @inlinable public static var badCookie: Self { Self(rawValue: 10003) }
    /// NFS4ERR_NOTSUPP.
    @inlinable public static var notSupported: Self { Self(rawValue: 10004) }
    /// NFS4ERR_TOOSMALL.
    @inlinable public static var tooSmall: Self { Self(rawValue: 10005) }
    /// NFS4ERR_SERVERFAULT.
    @inlinable public static var serverFault: Self { Self(rawValue: 10006) }
    /// NFS4ERR_BADTYPE.
    @inlinable public static var badType: Self { Self(rawValue: 10007) }
    /// NFS4ERR_DELAY.
    @inlinable public static var delay: Self { Self(rawValue: 10008) }
    /// NFS4ERR_SAME.
    @inlinable public static var same: Self { Self(rawValue: 10009) }
    /// NFS4ERR_DENIED.
    @inlinable public static var denied: Self { Self(rawValue: 10010) }
    /// NFS4ERR_EXPIRED.
    @inlinable public static var expired: Self { Self(rawValue: 10011) }
    /// NFS4ERR_LOCKED.
    @inlinable public static var locked: Self { Self(rawValue: 10012) }
    /// NFS4ERR_GRACE.
    @inlinable public static var grace: Self { Self(rawValue: 10013) }
    /// NFS4ERR_FHEXPIRED.
    @inlinable public static var handleExpired: Self { Self(rawValue: 10014) }
    /// NFS4ERR_SHARE_DENIED.
    @inlinable public static var shareDenied: Self { Self(rawValue: 10015) }
    /// NFS4ERR_WRONGSEC.
    @inlinable public static var wrongSecurity: Self { Self(rawValue: 10016) }
    /// NFS4ERR_CLID_INUSE.
    @inlinable public static var clientInUse: Self { Self(rawValue: 10017) }
    /// NFS4ERR_RESOURCE.
    @inlinable public static var resource: Self { Self(rawValue: 10018) }
    /// NFS4ERR_MOVED.
    @inlinable public static var moved: Self { Self(rawValue: 10019) }
    /// NFS4ERR_NOFILEHANDLE.
    @inlinable public static var noHandle: Self { Self(rawValue: 10020) }
    /// NFS4ERR_MINOR_VERS_MISMATCH.
    @inlinable public static var minorMismatch: Self { Self(rawValue: 10021) }
    /// NFS4ERR_STALE_CLIENTID.
    @inlinable public static var staleClient: Self { Self(rawValue: 10022) }
    /// NFS4ERR_STALE_STATEID.
    @inlinable public static var staleStateid: Self { Self(rawValue: 10023) }
    /// NFS4ERR_OLD_STATEID.
    @inlinable public static var oldStateid: Self { Self(rawValue: 10024) }
    /// NFS4ERR_BAD_STATEID.
    @inlinable public static var badStateid: Self { Self(rawValue: 10025) }
    /// NFS4ERR_BAD_SEQID.
    @inlinable public static var badSequence: Self { Self(rawValue: 10026) }
    /// NFS4ERR_NOT_SAME.
    @inlinable public static var notSame: Self { Self(rawValue: 10027) }
    /// NFS4ERR_LOCK_RANGE.
    @inlinable public static var lockRange: Self { Self(rawValue: 10028) }
    /// NFS4ERR_SYMLINK.
    @inlinable public static var symbolicLink: Self { Self(rawValue: 10029) }
    /// NFS4ERR_RESTOREFH.
    @inlinable public static var nothingSaved: Self { Self(rawValue: 10030) }
    /// NFS4ERR_LEASE_MOVED.
    @inlinable public static var leaseMoved: Self { Self(rawValue: 10031) }
    /// NFS4ERR_ATTRNOTSUPP.
    @inlinable public static var attributeNotSupported: Self { Self(rawValue: 10032) }
    /// NFS4ERR_NO_GRACE.
    @inlinable public static var noGrace: Self { Self(rawValue: 10033) }
    /// NFS4ERR_RECLAIM_BAD.
    @inlinable public static var reclaimBad: Self { Self(rawValue: 10034) }
    /// NFS4ERR_RECLAIM_CONFLICT.
    @inlinable public static var reclaimConflict: Self { Self(rawValue: 10035) }
    /// NFS4ERR_BADXDR.
    @inlinable public static var badXDR: Self { Self(rawValue: 10036) }
    /// NFS4ERR_LOCKS_HELD.
    @inlinable public static var locksHeld: Self { Self(rawValue: 10037) }
    /// NFS4ERR_OPENMODE.
    @inlinable public static var openMode: Self { Self(rawValue: 10038) }
    /// NFS4ERR_BADOWNER.
    @inlinable public static var badOwner: Self { Self(rawValue: 10039) }
    /// NFS4ERR_BADCHAR.
    @inlinable public static var badCharacter: Self { Self(rawValue: 10040) }
    /// NFS4ERR_BADNAME.
    @inlinable public static var badName: Self { Self(rawValue: 10041) }
    /// NFS4ERR_BAD_RANGE.
    @inlinable public static var badRange: Self { Self(rawValue: 10042) }
    /// NFS4ERR_LOCK_NOTSUPP.
    @inlinable public static var lockNotSupported: Self { Self(rawValue: 10043) }
    /// NFS4ERR_OP_ILLEGAL.
    @inlinable public static var illegalOperation: Self { Self(rawValue: 10044) }
    /// NFS4ERR_DEADLOCK.
    @inlinable public static var deadlock: Self { Self(rawValue: 10045) }
    /// NFS4ERR_FILE_OPEN.
    @inlinable public static var fileOpen: Self { Self(rawValue: 10046) }
    /// NFS4ERR_ADMIN_REVOKED.
    @inlinable public static var adminRevoked: Self { Self(rawValue: 10047) }
    /// NFS4ERR_CB_PATH_DOWN.
    @inlinable public static var callbackPathDown: Self { Self(rawValue: 10048) }
    /// NFS4ERR_BADIOMODE.
    @inlinable public static var badiomode: Self { Self(rawValue: 10049) }
    /// NFS4ERR_BADLAYOUT.
    @inlinable public static var badlayout: Self { Self(rawValue: 10050) }
    /// NFS4ERR_BAD_SESSION_DIGEST.
    @inlinable public static var badSessionDigest: Self { Self(rawValue: 10051) }
    /// NFS4ERR_BADSESSION.
    @inlinable public static var badSession: Self { Self(rawValue: 10052) }
    /// NFS4ERR_BADSLOT.
    @inlinable public static var badSlot: Self { Self(rawValue: 10053) }
    /// NFS4ERR_COMPLETE_ALREADY.
    @inlinable public static var completeAlready: Self { Self(rawValue: 10054) }
    /// NFS4ERR_CONN_NOT_BOUND_TO_SESSION.
    @inlinable public static var connNotBoundToSession: Self { Self(rawValue: 10055) }
    /// NFS4ERR_DELEG_ALREADY_WANTED.
    @inlinable public static var delegAlreadyWanted: Self { Self(rawValue: 10056) }
    /// NFS4ERR_BACK_CHAN_BUSY.
    @inlinable public static var backChanBusy: Self { Self(rawValue: 10057) }
    /// NFS4ERR_LAYOUTTRYLATER.
    @inlinable public static var layouttrylater: Self { Self(rawValue: 10058) }
    /// NFS4ERR_LAYOUTUNAVAILABLE.
    @inlinable public static var layoutunavailable: Self { Self(rawValue: 10059) }
    /// NFS4ERR_NOMATCHING_LAYOUT.
    @inlinable public static var nomatchingLayout: Self { Self(rawValue: 10060) }
    /// NFS4ERR_RECALLCONFLICT.
    @inlinable public static var recallconflict: Self { Self(rawValue: 10061) }
    /// NFS4ERR_UNKNOWN_LAYOUTTYPE.
    @inlinable public static var unknownLayouttype: Self { Self(rawValue: 10062) }
    /// NFS4ERR_SEQ_MISORDERED.
    @inlinable public static var sequenceMisordered: Self { Self(rawValue: 10063) }
    /// NFS4ERR_SEQUENCE_POS.
    @inlinable public static var sequencePosition: Self { Self(rawValue: 10064) }
    /// NFS4ERR_REQ_TOO_BIG.
    @inlinable public static var reqTooBig: Self { Self(rawValue: 10065) }
    /// NFS4ERR_REP_TOO_BIG.
    @inlinable public static var repTooBig: Self { Self(rawValue: 10066) }
    /// NFS4ERR_REP_TOO_BIG_TO_CACHE.
    @inlinable public static var repTooBigToCache: Self { Self(rawValue: 10067) }
    /// NFS4ERR_RETRY_UNCACHED_REP.
    @inlinable public static var retryUncachedRep: Self { Self(rawValue: 10068) }
    /// NFS4ERR_UNSAFE_COMPOUND.
    @inlinable public static var unsafeCompound: Self { Self(rawValue: 10069) }
    /// NFS4ERR_TOO_MANY_OPS.
    @inlinable public static var tooManyOps: Self { Self(rawValue: 10070) }
    /// NFS4ERR_OP_NOT_IN_SESSION.
    @inlinable public static var opNotInSession: Self { Self(rawValue: 10071) }
    /// NFS4ERR_HASH_ALG_UNSUPP.
    @inlinable public static var hashAlgUnsupp: Self { Self(rawValue: 10072) }
    /// NFS4ERR_CLIENTID_BUSY.
    @inlinable public static var clientBusy: Self { Self(rawValue: 10074) }
    /// NFS4ERR_PNFS_IO_HOLE.
    @inlinable public static var pnfsIoHole: Self { Self(rawValue: 10075) }
    /// NFS4ERR_SEQ_FALSE_RETRY.
    @inlinable public static var sequenceFalseRetry: Self { Self(rawValue: 10076) }
    /// NFS4ERR_BAD_HIGH_SLOT.
    @inlinable public static var badHighSlot: Self { Self(rawValue: 10077) }
    /// NFS4ERR_DEADSESSION.
    @inlinable public static var deadSession: Self { Self(rawValue: 10078) }
    /// NFS4ERR_ENCR_ALG_UNSUPP.
    @inlinable public static var encrAlgUnsupp: Self { Self(rawValue: 10079) }
    /// NFS4ERR_PNFS_NO_LAYOUT.
    @inlinable public static var pnfsNoLayout: Self { Self(rawValue: 10080) }
    /// NFS4ERR_NOT_ONLY_OP.
    @inlinable public static var notOnlyOp: Self { Self(rawValue: 10081) }
    /// NFS4ERR_WRONG_CRED.
    @inlinable public static var wrongCred: Self { Self(rawValue: 10082) }
    /// NFS4ERR_WRONG_TYPE.
    @inlinable public static var wrongType: Self { Self(rawValue: 10083) }
    /// NFS4ERR_DIRDELEG_UNAVAIL.
    @inlinable public static var dirdelegUnavail: Self { Self(rawValue: 10084) }
    /// NFS4ERR_REJECT_DELEG.
    @inlinable public static var rejectDeleg: Self { Self(rawValue: 10085) }
    /// NFS4ERR_RETURNCONFLICT.
    @inlinable public static var returnconflict: Self { Self(rawValue: 10086) }
    /// NFS4ERR_DELEG_REVOKED.
    @inlinable public static var delegRevoked: Self { Self(rawValue: 10087) }
    /// NFS4ERR_PARTNER_NOTSUPP.
    @inlinable public static var partnerNotsupp: Self { Self(rawValue: 10088) }
    /// NFS4ERR_PARTNER_NO_AUTH.
    @inlinable public static var partnerNoAuth: Self { Self(rawValue: 10089) }
    /// NFS4ERR_UNION_NOTSUPP.
    @inlinable public static var unionNotsupp: Self { Self(rawValue: 10090) }
    /// NFS4ERR_OFFLOAD_DENIED.
    @inlinable public static var offloadDenied: Self { Self(rawValue: 10091) }
    /// NFS4ERR_WRONG_LFS.
    @inlinable public static var wrongLfs: Self { Self(rawValue: 10092) }
    /// NFS4ERR_BADLABEL.
    @inlinable public static var badlabel: Self { Self(rawValue: 10093) }
    /// NFS4ERR_OFFLOAD_NO_REQS.
    @inlinable public static var offloadNoReqs: Self { Self(rawValue: 10094) }
    /// NFS4ERR_NOXATTR.
    @inlinable public static var noExtendedAttribute: Self { Self(rawValue: 10095) }
    /// NFS4ERR_XATTR2BIG.
    @inlinable public static var extendedAttributeTooBig: Self { Self(rawValue: 10096) }
}
