/// Why a request is refused before anybody sees it.
///
/// The connection is closed after the reply.
public enum HTTPRequestError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The head is larger than 16 KiB, or has more than 100 fields.
    case headTooLarge
    /// The request line is not `METHOD TARGET HTTP/1.x`.
    case invalidRequestLine
    /// Another major version.
    case unsupportedVersion
    /// The target is no path, or has a wrong `%` in it.
    case invalidTarget
    /// A `..` in the path.
    case pathLeavesRoot
    /// A field line that is not `name: value`; its number from 1.
    case invalidField(line: Int)
    /// HTTP/1.1 needs exactly one Host.
    case invalidHost
    /// Content-Length is no number, or there are several.
    case invalidContentLength
    /// Transfer-Encoding in a request: a body must come with Content-Length.
    case transferEncoding

    /// The status that answers it.
    public var status: HTTPStatus {
        switch self {
        case .headTooLarge: .headerFieldsTooLarge
        case .unsupportedVersion: .versionNotSupported
        case .pathLeavesRoot: .forbidden
        case .transferEncoding: .lengthRequired
        default: .badRequest
        }
    }

    /// One line for the client and the log.
    public var description: String {
        switch self {
        case .headTooLarge: "the request head is larger than 16 KiB or has more than 100 fields"
        case .invalidRequestLine: "the request line is not 'METHOD /path HTTP/1.1'"
        case .unsupportedVersion: "only HTTP/1.0 and HTTP/1.1 are spoken here"
        case .invalidTarget: "the request target is not a percent-encoded path"
        case .pathLeavesRoot: "'..' in a path is refused: name the file from the top"
        case .invalidField(let line): "header field \(line) is not 'name: value'"
        case .invalidHost: "HTTP/1.1 needs exactly one Host field"
        case .invalidContentLength: "Content-Length is not one decimal number"
        case .transferEncoding: "Transfer-Encoding is not accepted in a request: send Content-Length"
        }
    }
}
