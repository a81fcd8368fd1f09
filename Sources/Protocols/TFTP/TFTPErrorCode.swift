/// Why a transfer was refused or ended (RFC 1350 section 5, RFC 2347 section 2 for code 8).
public struct TFTPErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt16
    /// From the number on the wire; unknown ones are kept.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// See the message.
    public static let notDefined = TFTPErrorCode(rawValue: 0)
    /// No such file.
    public static let fileNotFound = TFTPErrorCode(rawValue: 1)
    /// The file is there, but not for this client.
    public static let accessViolation = TFTPErrorCode(rawValue: 2)
    /// No room.
    public static let diskFull = TFTPErrorCode(rawValue: 3)
    /// A packet that makes no sense here.
    public static let illegalOperation = TFTPErrorCode(rawValue: 4)
    /// A packet from a port that is not part of the transfer.
    public static let unknownTransfer = TFTPErrorCode(rawValue: 5)
    /// The file is there already.
    public static let fileExists = TFTPErrorCode(rawValue: 6)
    /// No such user.
    public static let noSuchUser = TFTPErrorCode(rawValue: 7)
    /// The client does not want the options it was granted.
    public static let optionsRefused = TFTPErrorCode(rawValue: 8)

    /// The RFC's words, else the number.
    public var description: String {
        switch self {
        case .notDefined: "not defined"
        case .fileNotFound: "file not found"
        case .accessViolation: "access violation"
        case .diskFull: "disk full"
        case .illegalOperation: "illegal TFTP operation"
        case .unknownTransfer: "unknown transfer ID"
        case .fileExists: "file already exists"
        case .noSuchUser: "no such user"
        case .optionsRefused: "option negotiation refused"
        default: "error \(rawValue)"
        }
    }
}
