/// The outcome of a request (RFC 9110 section 15).
public struct HTTPStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The three digits.
    public var rawValue: Int
    /// From the three digits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// 100: go on and send the body.
    public static let `continue` = HTTPStatus(rawValue: 100)
    /// 200.
    public static let ok = HTTPStatus(rawValue: 200)
    /// 201.
    public static let created = HTTPStatus(rawValue: 201)
    /// 202: taken, not done yet.
    public static let accepted = HTTPStatus(rawValue: 202)
    /// 204.
    public static let noContent = HTTPStatus(rawValue: 204)
    /// 206: the range that was asked for.
    public static let partialContent = HTTPStatus(rawValue: 206)
    /// 301: for good at another place.
    public static let movedPermanently = HTTPStatus(rawValue: 301)
    /// 302: at another place for now.
    public static let found = HTTPStatus(rawValue: 302)
    /// 304: the client's copy is still good.
    public static let notModified = HTTPStatus(rawValue: 304)
    /// 400.
    public static let badRequest = HTTPStatus(rawValue: 400)
    /// 401.
    public static let unauthorized = HTTPStatus(rawValue: 401)
    /// 403.
    public static let forbidden = HTTPStatus(rawValue: 403)
    /// 404.
    public static let notFound = HTTPStatus(rawValue: 404)
    /// 405.
    public static let methodNotAllowed = HTTPStatus(rawValue: 405)
    /// 408: the request took too long to arrive.
    public static let requestTimeout = HTTPStatus(rawValue: 408)
    /// 409: it contradicts what is there.
    public static let conflict = HTTPStatus(rawValue: 409)
    /// 411: a body without Content-Length.
    public static let lengthRequired = HTTPStatus(rawValue: 411)
    /// 412.
    public static let preconditionFailed = HTTPStatus(rawValue: 412)
    /// 413: the body is too large.
    public static let contentTooLarge = HTTPStatus(rawValue: 413)
    /// 416: the range lies outside the content.
    public static let rangeNotSatisfiable = HTTPStatus(rawValue: 416)
    /// 417: an Expect that nobody here meets.
    public static let expectationFailed = HTTPStatus(rawValue: 417)
    /// 422: understood, but wrong.
    public static let unprocessableContent = HTTPStatus(rawValue: 422)
    /// 431: the head is too large.
    public static let headerFieldsTooLarge = HTTPStatus(rawValue: 431)
    /// 500.
    public static let internalServerError = HTTPStatus(rawValue: 500)
    /// 501.
    public static let notImplemented = HTTPStatus(rawValue: 501)
    /// 503.
    public static let serviceUnavailable = HTTPStatus(rawValue: 503)
    /// 505.
    public static let versionNotSupported = HTTPStatus(rawValue: 505)

    /// The RFC's words; empty for an unknown number.
    public var reason: String { Self.reasons[rawValue] ?? "" }
    /// `404 Not Found`.
    public var description: String { reason.isEmpty ? "\(rawValue)" : "\(rawValue) \(reason)" }

    /// Whether replies of this status never have a body (RFC 9110 section 6.4.1).
    public var isBodiless: Bool { rawValue < 200 || rawValue == 204 || rawValue == 304 }

    private static let reasons: [Int: String] = [
        100: "Continue", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
        301: "Moved Permanently", 302: "Found", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
        411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 422: "Unprocessable Content", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
        505: "HTTP Version Not Supported",
    ]
}
