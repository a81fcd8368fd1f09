/// What a client asks for before an export is open (NBD_OPT_…); unknown numbers survive.
public struct NBDOption: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt32
    /// The option with this number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Opens an export without a way to refuse it (NBD_OPT_EXPORT_NAME); old clients only.
    public static let exportName = NBDOption(rawValue: 1)
    /// Ends the handshake (NBD_OPT_ABORT).
    public static let abort = NBDOption(rawValue: 2)
    /// Asks for the names of the exports (NBD_OPT_LIST).
    public static let list = NBDOption(rawValue: 3)
    /// Asks for TLS (NBD_OPT_STARTTLS).
    public static let startTLS = NBDOption(rawValue: 5)
    /// Asks about an export without opening it (NBD_OPT_INFO).
    public static let info = NBDOption(rawValue: 6)
    /// Opens an export (NBD_OPT_GO).
    public static let go = NBDOption(rawValue: 7)
    /// Asks for structured replies (NBD_OPT_STRUCTURED_REPLY).
    public static let structuredReply = NBDOption(rawValue: 8)
    /// Asks which metadata contexts there are (NBD_OPT_LIST_META_CONTEXT).
    public static let listMetaContext = NBDOption(rawValue: 9)
    /// Chooses metadata contexts (NBD_OPT_SET_META_CONTEXT).
    public static let setMetaContext = NBDOption(rawValue: 10)
    /// Asks for 64-bit lengths (NBD_OPT_EXTENDED_HEADERS).
    public static let extendedHeaders = NBDOption(rawValue: 11)

    /// The number, for a log line.
    public var description: String { "option \(rawValue)" }
}

/// Whether a client may, must or cannot use TLS (protocol document, "TLS support").
public enum NBDEncryption: String, Hashable, Sendable, CaseIterable {
    /// There is no certificate.
    case unavailable
    /// The client decides (OPTIONALTLS).
    case allowed
    /// Nothing is told or given in the clear (FORCEDTLS).
    case required
}

/// What the server answers to an option (NBD_REP_…).
public struct NBDOptionReply: RawRepresentable, Hashable, Sendable {
    /// The number on the wire; the top bit marks an error.
    public var rawValue: UInt32
    /// The reply with this number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Done (NBD_REP_ACK).
    public static let acknowledged = NBDOptionReply(rawValue: 1)
    /// One export of a list (NBD_REP_SERVER).
    public static let server = NBDOptionReply(rawValue: 2)
    /// One fact about an export (NBD_REP_INFO).
    public static let info = NBDOptionReply(rawValue: 3)
    /// One metadata context (NBD_REP_META_CONTEXT).
    public static let metaContext = NBDOptionReply(rawValue: 4)
    /// The server does not know the option (NBD_REP_ERR_UNSUP).
    public static let unsupported = NBDOptionReply(rawValue: 0x8000_0001)
    /// The server does not want to (NBD_REP_ERR_POLICY).
    public static let policy = NBDOptionReply(rawValue: 0x8000_0002)
    /// The option is malformed, or comes at the wrong time (NBD_REP_ERR_INVALID).
    public static let invalid = NBDOptionReply(rawValue: 0x8000_0003)
    /// The server wants TLS first (NBD_REP_ERR_TLS_REQD).
    public static let tlsRequired = NBDOptionReply(rawValue: 0x8000_0005)
    /// There is no such export (NBD_REP_ERR_UNKNOWN).
    public static let unknown = NBDOptionReply(rawValue: 0x8000_0006)
    /// The server is stopping (NBD_REP_ERR_SHUTDOWN).
    public static let shuttingDown = NBDOptionReply(rawValue: 0x8000_0007)
    /// The option's data are longer than the server reads (NBD_REP_ERR_TOO_BIG).
    public static let tooBig = NBDOptionReply(rawValue: 0x8000_0009)
    /// Extended headers are agreed already, or must be first (NBD_REP_ERR_EXT_HEADER_REQD).
    public static let extendedHeadersRequired = NBDOptionReply(rawValue: 0x8000_000a)
}

/// The kinds of facts about an export (NBD_INFO_…); unknown numbers survive and are not answered.
public struct NBDInfo: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: UInt16
    /// The kind with this number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Size and transmission flags (NBD_INFO_EXPORT).
    public static let export = NBDInfo(rawValue: 0)
    /// The canonical name (NBD_INFO_NAME).
    public static let name = NBDInfo(rawValue: 1)
    /// A text for people (NBD_INFO_DESCRIPTION).
    public static let description = NBDInfo(rawValue: 2)
    /// Minimum, preferred and maximum block size (NBD_INFO_BLOCK_SIZE).
    public static let blockSize = NBDInfo(rawValue: 3)
}

/// What an export can do (NBD_FLAG_…), told to the client when it opens it.
public struct NBDTransmissionFlags: OptionSet, Hashable, Sendable {
    /// The bits on the wire.
    public var rawValue: UInt16
    /// The set with these bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Always set (NBD_FLAG_HAS_FLAGS).
    public static let hasFlags = NBDTransmissionFlags(rawValue: 1 << 0)
    /// Writes are refused (NBD_FLAG_READ_ONLY).
    public static let readOnly = NBDTransmissionFlags(rawValue: 1 << 1)
    /// FLUSH is understood (NBD_FLAG_SEND_FLUSH).
    public static let flush = NBDTransmissionFlags(rawValue: 1 << 2)
    /// Force-unit-access is understood (NBD_FLAG_SEND_FUA).
    public static let forceUnitAccess = NBDTransmissionFlags(rawValue: 1 << 3)
    /// TRIM is understood (NBD_FLAG_SEND_TRIM).
    public static let trim = NBDTransmissionFlags(rawValue: 1 << 5)
    /// WRITE_ZEROES is understood (NBD_FLAG_SEND_WRITE_ZEROES).
    public static let writeZeroes = NBDTransmissionFlags(rawValue: 1 << 6)
    /// Do-not-fragment is understood (NBD_FLAG_SEND_DF); only with structured replies.
    public static let doNotFragment = NBDTransmissionFlags(rawValue: 1 << 7)
    /// A flush on one connection covers all connections (NBD_FLAG_CAN_MULTI_CONN).
    public static let multipleConnections = NBDTransmissionFlags(rawValue: 1 << 8)
    /// RESIZE is understood (NBD_FLAG_SEND_RESIZE).
    public static let resize = NBDTransmissionFlags(rawValue: 1 << 9)
    /// CACHE is understood (NBD_FLAG_SEND_CACHE).
    public static let cache = NBDTransmissionFlags(rawValue: 1 << 10)
}
