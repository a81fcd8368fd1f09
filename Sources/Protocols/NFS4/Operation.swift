/// An operation of a compound (nfs_opnum4; RFC 8881, section 16.2.3.1, RFC 7862, section 15, RFC 8276, section 8.4).
public struct NFS4Operation: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Whether the operation exists in a minor version.
    public func exists(inMinor minor: UInt32) -> Bool {
        let last: UInt32 = minor == 0 ? 39 : minor == 1 ? 58 : 75
        return (3...last).contains(rawValue)
    }

    /// ACCESS.
    @inlinable public static var access: Self { Self(rawValue: 3) }
    /// CLOSE.
    @inlinable public static var close: Self { Self(rawValue: 4) }
    /// COMMIT.
    @inlinable public static var commit: Self { Self(rawValue: 5) }
    /// CREATE.
    @inlinable public static var create: Self { Self(rawValue: 6) }
    /// DELEGPURGE.
    @inlinable public static var delegationPurge: Self { Self(rawValue: 7) }
    /// DELEGRETURN.
    @inlinable public static var delegationReturn: Self { Self(rawValue: 8) }
    /// GETATTR.
    @inlinable public static var getAttributes: Self { Self(rawValue: 9) }
    /// GETFH.
    @inlinable public static var getHandle: Self { Self(rawValue: 10) }
    /// LINK.
    @inlinable public static var link: Self { Self(rawValue: 11) }
    /// LOCK.
    @inlinable public static var lock: Self { Self(rawValue: 12) }
    /// LOCKT.
    @inlinable public static var lockTest: Self { Self(rawValue: 13) }
    /// LOCKU.
    @inlinable public static var unlock: Self { Self(rawValue: 14) }
    /// LOOKUP.
    @inlinable public static var lookup: Self { Self(rawValue: 15) }
    /// LOOKUPP.
    @inlinable public static var lookupParent: Self { Self(rawValue: 16) }
    /// NVERIFY.
    @inlinable public static var verifyNot: Self { Self(rawValue: 17) }
    /// OPEN.
    @inlinable public static var open: Self { Self(rawValue: 18) }
    /// OPENATTR.
    @inlinable public static var openAttributeDirectory: Self { Self(rawValue: 19) }
    /// OPEN_CONFIRM.
    @inlinable public static var openConfirm: Self { Self(rawValue: 20) }
    /// OPEN_DOWNGRADE.
    @inlinable public static var openDowngrade: Self { Self(rawValue: 21) }
    /// PUTFH.
    @inlinable public static var putHandle: Self { Self(rawValue: 22) }
    /// PUTPUBFH.
    @inlinable public static var putPublicHandle: Self { Self(rawValue: 23) }
    /// PUTROOTFH.
    @inlinable public static var putRootHandle: Self { Self(rawValue: 24) }
    /// READ.
    @inlinable public static var read: Self { Self(rawValue: 25) }
    /// READDIR.
    @inlinable public static var readDirectory: Self { Self(rawValue: 26) }
    /// READLINK.
    @inlinable public static var readLink: Self { Self(rawValue: 27) }
    /// REMOVE.
    @inlinable public static var remove: Self { Self(rawValue: 28) }
    /// RENAME.
    @inlinable public static var rename: Self { Self(rawValue: 29) }
    /// RENEW.
    @inlinable public static var renew: Self { Self(rawValue: 30) }
    /// RESTOREFH.
    @inlinable public static var restoreHandle: Self { Self(rawValue: 31) }
    /// SAVEFH.
    @inlinable public static var saveHandle: Self { Self(rawValue: 32) }
    /// SECINFO.
    @inlinable public static var securityInfo: Self { Self(rawValue: 33) }
    /// SETATTR.
    @inlinable public static var setAttributes: Self { Self(rawValue: 34) }
    /// SETCLIENTID.
    @inlinable public static var setClientID: Self { Self(rawValue: 35) }
    /// SETCLIENTID_CONFIRM.
    @inlinable public static var setClientIDConfirm: Self { Self(rawValue: 36) }
    /// VERIFY.
    @inlinable public static var verify: Self { Self(rawValue: 37) }
    /// WRITE.
    @inlinable public static var write: Self { Self(rawValue: 38) }
    /// RELEASE_LOCKOWNER.
    @inlinable public static var releaseLockOwner: Self { Self(rawValue: 39) }
    /// BACKCHANNEL_CTL.
    @inlinable public static var backchannelControl: Self { Self(rawValue: 40) }
    /// BIND_CONN_TO_SESSION.
    @inlinable public static var bindConnection: Self { Self(rawValue: 41) }
    /// EXCHANGE_ID.
    @inlinable public static var exchangeID: Self { Self(rawValue: 42) }
    /// CREATE_SESSION.
    @inlinable public static var createSession: Self { Self(rawValue: 43) }
    /// DESTROY_SESSION.
    @inlinable public static var destroySession: Self { Self(rawValue: 44) }
    /// FREE_STATEID.
    @inlinable public static var freeStateid: Self { Self(rawValue: 45) }
    /// GET_DIR_DELEGATION.
    @inlinable public static var getDirectoryDelegation: Self { Self(rawValue: 46) }
    /// GETDEVICEINFO.
    @inlinable public static var getDeviceInfo: Self { Self(rawValue: 47) }
    /// GETDEVICELIST.
    @inlinable public static var getDeviceList: Self { Self(rawValue: 48) }
    /// LAYOUTCOMMIT.
    @inlinable public static var layoutCommit: Self { Self(rawValue: 49) }
    /// LAYOUTGET.
    @inlinable public static var layoutGet: Self { Self(rawValue: 50) }
    /// LAYOUTRETURN.
    @inlinable public static var layoutReturn: Self { Self(rawValue: 51) }
    /// SECINFO_NO_NAME.
    @inlinable public static var securityInfoNoName: Self { Self(rawValue: 52) }
    /// SEQUENCE.
    @inlinable public static var sequence: Self { Self(rawValue: 53) }
    /// SET_SSV.
    @inlinable public static var setSSV: Self { Self(rawValue: 54) }
    /// TEST_STATEID.
    @inlinable public static var testStateids: Self { Self(rawValue: 55) }
    /// WANT_DELEGATION.
    @inlinable public static var wantDelegation: Self { Self(rawValue: 56) }
    /// DESTROY_CLIENTID.
    @inlinable public static var destroyClientID: Self { Self(rawValue: 57) }
    /// RECLAIM_COMPLETE.
    @inlinable public static var reclaimComplete: Self { Self(rawValue: 58) }
    /// ALLOCATE.
    @inlinable public static var allocate: Self { Self(rawValue: 59) }
    /// COPY.
    @inlinable public static var copy: Self { Self(rawValue: 60) }
    /// COPY_NOTIFY.
    @inlinable public static var copyNotify: Self { Self(rawValue: 61) }
    /// DEALLOCATE.
    @inlinable public static var deallocate: Self { Self(rawValue: 62) }
    /// IO_ADVISE.
    @inlinable public static var ioAdvise: Self { Self(rawValue: 63) }
    /// LAYOUTERROR.
    @inlinable public static var layoutError: Self { Self(rawValue: 64) }
    /// LAYOUTSTATS.
    @inlinable public static var layoutStatistics: Self { Self(rawValue: 65) }
    /// OFFLOAD_CANCEL.
    @inlinable public static var offloadCancel: Self { Self(rawValue: 66) }
    /// OFFLOAD_STATUS.
    @inlinable public static var offloadStatus: Self { Self(rawValue: 67) }
    /// READ_PLUS.
    @inlinable public static var readPlus: Self { Self(rawValue: 68) }
    /// SEEK.
    @inlinable public static var seek: Self { Self(rawValue: 69) }
    /// WRITE_SAME.
    @inlinable public static var writeSame: Self { Self(rawValue: 70) }
    /// CLONE.
    @inlinable public static var clone: Self { Self(rawValue: 71) }
    /// GETXATTR.
    @inlinable public static var getExtendedAttribute: Self { Self(rawValue: 72) }
    /// SETXATTR.
    @inlinable public static var setExtendedAttribute: Self { Self(rawValue: 73) }
    /// LISTXATTRS.
    @inlinable public static var listExtendedAttributes: Self { Self(rawValue: 74) }
    /// REMOVEXATTR.
    @inlinable public static var removeExtendedAttribute: Self { Self(rawValue: 75) }
    /// OP_ILLEGAL.
    @inlinable public static var illegal: Self { Self(rawValue: 10044) }
}
