/// What a request asks for (NBD_CMD_…); unknown numbers survive and are refused.
public struct NBDCommand: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: UInt16
    /// The command with this number.
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Reads bytes (NBD_CMD_READ).
    @inlinable public static var read: NBDCommand { NBDCommand(rawValue: 0) }
    /// Writes the bytes that follow (NBD_CMD_WRITE).
    @inlinable public static var write: NBDCommand { NBDCommand(rawValue: 1) }
    /// Ends the session (NBD_CMD_DISC); not answered.
    @inlinable public static var disconnect: NBDCommand { NBDCommand(rawValue: 2) }
    /// Makes everything answered so far durable (NBD_CMD_FLUSH).
    @inlinable public static var flush: NBDCommand { NBDCommand(rawValue: 3) }
    /// Tells that the bytes are not needed any more (NBD_CMD_TRIM).
    @inlinable public static var trim: NBDCommand { NBDCommand(rawValue: 4) }
    /// Asks to read ahead (NBD_CMD_CACHE).
    @inlinable public static var cache: NBDCommand { NBDCommand(rawValue: 5) }
    /// Writes zeros (NBD_CMD_WRITE_ZEROES).
    @inlinable public static var writeZeroes: NBDCommand { NBDCommand(rawValue: 6) }
    /// Asks which ranges hold data (NBD_CMD_BLOCK_STATUS).
    @inlinable public static var blockStatus: NBDCommand { NBDCommand(rawValue: 7) }
    /// Asks for another size of the export, which stands where others have the offset (NBD_CMD_RESIZE).
    @inlinable public static var resize: NBDCommand { NBDCommand(rawValue: 8) }
}

/// How a request wants to be done (NBD_CMD_FLAG_…).
public struct NBDCommandFlags: OptionSet, Hashable, Sendable {
    /// The bits on the wire.
    public var rawValue: UInt16
    /// The set with these bits.
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Durable before it is answered (NBD_CMD_FLAG_FUA).
    @inlinable public static var forceUnitAccess: NBDCommandFlags { NBDCommandFlags(rawValue: 1 << 0) }
    /// The zeros must take up space (NBD_CMD_FLAG_NO_HOLE).
    @inlinable public static var noHole: NBDCommandFlags { NBDCommandFlags(rawValue: 1 << 1) }
    /// The answer must be one chunk (NBD_CMD_FLAG_DF).
    @inlinable public static var doNotFragment: NBDCommandFlags { NBDCommandFlags(rawValue: 1 << 2) }
    /// One extent for each context is enough (NBD_CMD_FLAG_REQ_ONE).
    @inlinable public static var oneExtent: NBDCommandFlags { NBDCommandFlags(rawValue: 1 << 3) }
    /// The length is that of data that follow; extended headers only (NBD_CMD_FLAG_PAYLOAD_LEN).
    @inlinable public static var payloadLength: NBDCommandFlags { NBDCommandFlags(rawValue: 1 << 5) }
}

/// Why a request failed (NBD_E…); the numbers are the protocol's own and equal Linux's errno where both exist.
public struct NBDErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire; 0 is success.
    public var rawValue: UInt32
    /// The error with this number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No error.
    @inlinable public static var none: NBDErrorCode { NBDErrorCode(rawValue: 0) }
    /// Not permitted, for example a write to a read-only export (NBD_EPERM).
    @inlinable public static var notPermitted: NBDErrorCode { NBDErrorCode(rawValue: 1) }
    /// The storage failed (NBD_EIO).
    @inlinable public static var inputOutput: NBDErrorCode { NBDErrorCode(rawValue: 5) }
    /// Out of memory (NBD_ENOMEM).
    @inlinable public static var outOfMemory: NBDErrorCode { NBDErrorCode(rawValue: 12) }
    /// The request makes no sense (NBD_EINVAL).
    @inlinable public static var invalid: NBDErrorCode { NBDErrorCode(rawValue: 22) }
    /// No room left, or a write past the end (NBD_ENOSPC).
    @inlinable public static var noSpace: NBDErrorCode { NBDErrorCode(rawValue: 28) }
    /// Not supported for this export (NBD_ENOTSUP).
    @inlinable public static var notSupported: NBDErrorCode { NBDErrorCode(rawValue: 95) }
    /// The server is stopping (NBD_ESHUTDOWN).
    @inlinable public static var shuttingDown: NBDErrorCode { NBDErrorCode(rawValue: 108) }

    /// The nearest code that the protocol has for a Linux errno; everything unknown is an I/O error.
    public init(errno: Int32) {
        switch errno {
        case 0: self = .none
        case 1, 13, 30: self = .notPermitted  // EPERM, EACCES, EROFS
        case 12: self = .outOfMemory
        case 22: self = .invalid
        case 27, 28, 122: self = .noSpace  // EFBIG, ENOSPC, EDQUOT
        case 95: self = .notSupported
        default: self = .inputOutput
        }
    }

    /// The protocol's name, for a log line.
    public var description: String {
        switch self {
        case .none: "no error"
        case .notPermitted: "EPERM"
        case .inputOutput: "EIO"
        case .outOfMemory: "ENOMEM"
        case .invalid: "EINVAL"
        case .noSpace: "ENOSPC"
        case .notSupported: "ENOTSUP"
        case .shuttingDown: "ESHUTDOWN"
        default: "error \(rawValue)"
        }
    }
}

/// What is known about a range of an export in the context `base:allocation` (NBD_STATE_…).
public struct NBDAllocationState: OptionSet, Hashable, Sendable {
    /// The bits on the wire.
    public var rawValue: UInt32
    /// The set with these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The range takes up no space (NBD_STATE_HOLE).
    public static let hole = NBDAllocationState(rawValue: 1)
    /// The range reads as zeros (NBD_STATE_ZERO).
    public static let zero = NBDAllocationState(rawValue: 2)
}
