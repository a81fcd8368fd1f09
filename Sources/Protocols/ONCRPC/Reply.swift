public import XDR

/// The head of a reply (RFC 5531, section 9), always with an empty verifier.
public enum RPCReply {
    /// Bytes of an accepted reply's head.
    public static let headSize = 24

    /// The head before the results of a procedure.
    @inlinable public static func encodeSuccess(xid: UInt32, into writer: inout XDRWriter) {
        encodeAccepted(xid: xid, status: .success, into: &writer)
    }

    /// A call that was understood but not done.
    @inlinable public static func encodeAccepted(xid: UInt32, status: RPCAcceptStatus, into writer: inout XDRWriter) {
        writer.write(xid)
        writer.write(1 as UInt32)
        writer.writeZeros(3)
        writer.write(status.rawValue)
    }

    /// The program is there, but not in this version (PROG_MISMATCH): says which versions are.
    public static func encodeVersionMismatch(xid: UInt32, _ versions: ClosedRange<UInt32>, into writer: inout XDRWriter)
    {
        encodeAccepted(xid: xid, status: .programMismatch, into: &writer)
        writer.write(versions.lowerBound)
        writer.write(versions.upperBound)
    }

    /// Another version of RPC itself (RPC_MISMATCH).
    public static func encodeProtocolMismatch(xid: UInt32, into writer: inout XDRWriter) {
        writer.write(xid)
        writer.write(1 as UInt32)
        writer.write(1 as UInt32)
        writer.write(0 as UInt32)
        writer.write(RPCCall.protocolVersion)
        writer.write(RPCCall.protocolVersion)
    }

    /// The caller's credential is refused (AUTH_ERROR).
    public static func encodeAuthError(xid: UInt32, _ why: RPCAuthStatus, into writer: inout XDRWriter) {
        writer.write(xid)
        writer.write(1 as UInt32)
        writer.write(1 as UInt32)
        writer.write(1 as UInt32)
        writer.write(why.rawValue)
    }
}

/// What became of an accepted call (accept_stat).
public struct RPCAcceptStatus: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Done; the results follow.
    @inlinable public static var success: Self { Self(rawValue: 0) }
    /// PROG_UNAVAIL.
    @inlinable public static var programUnavailable: Self { Self(rawValue: 1) }
    /// PROG_MISMATCH.
    @inlinable public static var programMismatch: Self { Self(rawValue: 2) }
    /// PROC_UNAVAIL.
    @inlinable public static var procedureUnavailable: Self { Self(rawValue: 3) }
    /// GARBAGE_ARGS.
    @inlinable public static var garbageArguments: Self { Self(rawValue: 4) }
    /// SYSTEM_ERR.
    @inlinable public static var systemError: Self { Self(rawValue: 5) }
}

/// Why a credential is refused (auth_stat).
public struct RPCAuthStatus: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// AUTH_BADCRED: it cannot be read.
    public static let badCredential = RPCAuthStatus(rawValue: 1)
    /// AUTH_TOOWEAK: another flavour is needed.
    public static let tooWeak = RPCAuthStatus(rawValue: 5)
}
