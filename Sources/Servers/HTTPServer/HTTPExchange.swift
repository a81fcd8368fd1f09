public import HTTP1
public import NetworkIO
public import NetworkTypes

/// Who is at the other end of a connection.
public enum HTTPPeer: Hashable, Sendable, CustomStringConvertible {
    /// A TCP client.
    case network(Endpoint)
    /// A process of this computer, over the Unix socket (SO_PEERCRED).
    case process(id: Int32, user: UInt32)

    /// For a log line.
    public var description: String {
        switch self {
        case .network(let endpoint): "\(endpoint)"
        case .process(let id, let user): "process \(id) of user \(user)"
        }
    }
}

/// One request with its body.
public struct HTTPRequest: Sendable {
    /// The request line and the fields.
    public var head: HTTPRequestHead
    /// The body, whole.
    public var body: [UInt8]
    /// Who asks.
    public var peer: HTTPPeer
    /// Which of our addresses was asked; nil over the Unix socket.
    public var local: Endpoint?

    /// A request from its parts, for tests of handlers.
    public init(head: HTTPRequestHead, body: [UInt8] = [], peer: HTTPPeer, local: Endpoint? = nil) {
        self.head = head
        self.body = body
        self.peer = peer
        self.local = local
    }

    /// What to do.
    public var method: HTTPMethod { head.method }
    /// The decoded path.
    public var path: HTTPPath { head.path }
}

/// A region of an open file, as the content of a reply.
///
/// The server answers Range, If-Range, If-None-Match and HEAD for it.
public struct HTTPFile: Sendable {
    /// The file, open for reading.
    public var descriptor: FileDescriptor
    /// Where the content begins in the file, in bytes.
    public var offset: UInt64
    /// How many bytes it has.
    public var size: UInt64
    /// A strong entity tag with its quotes: it changes when the bytes do.
    public var tag: String
    /// The time of the last change in seconds since 1970.
    public var modified: Int?
    /// The media type, where it is known with the file.
    public var type: String?
    /// Where it is kept open, if it is.
    var kept: OpenFiles.OpenFile?

    /// A region from its parts.
    public init(_ descriptor: FileDescriptor, offset: UInt64 = 0, size: UInt64, tag: String, modified: Int? = nil) {
        self.descriptor = descriptor
        self.offset = offset
        self.size = size
        self.tag = tag
        self.modified = modified
    }

    /// All of a file that was opened below a directory; the tag is made of its inode, size and time.
    public init(_ file: ConfinedDirectory.File) {
        let time = UInt64(bitPattern: Int64(file.modified)) &* 1_000_000_000 &+ UInt64(file.modifiedNanoseconds)
        let tag = [file.identity.inode, file.size, time].map { String($0, radix: 36) }.joined(separator: "-")
        self.init(file.descriptor, size: file.size, tag: "\"\(tag)\"", modified: file.modified)
    }
}

/// What a handler answers.
public struct HTTPResponse: Sendable {
    /// The content.
    public enum Body: Sendable {
        /// Nothing.
        case none
        /// Bytes in memory, sent with the head in one call.
        case bytes([UInt8])
        /// A file region; the status becomes 206, 304, 412 or 416 as the request's fields demand.
        case file(HTTPFile)
        /// Content put together while it is sent; ranges and conditions as for a file.
        case pieces(HTTPPieces)
        /// Bytes as they come up, in chunks. The closure runs on a thread of its own; it ends the content by returning,
        /// and must return soon after `send` throws or `isOpen` turns false.
        case stream(@Sendable (HTTPStream) throws -> Void)
    }

    /// The outcome.
    public var status: HTTPStatus
    /// Fields beside Content-Length, Date and Connection, which the server adds.
    public var fields: [HTTPField]
    /// The content.
    public var body: Body
    /// Whether every client that sends the same bytes gets this answer for as long as its file is the same.
    ///
    /// Counts for files of `OpenFiles` alone.
    public var isForAnyone = false

    /// A reply from its parts.
    public init(_ status: HTTPStatus, fields: [HTTPField] = [], body: Body = .none) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Text in UTF-8; a line end is added when it has none.
    public static func text(_ status: HTTPStatus, _ text: String, type: String = "text/plain; charset=utf-8") -> Self {
        let bytes = Array((text.isEmpty || text.hasSuffix("\n") ? text : text + "\n").utf8)
        return HTTPResponse(status, fields: [HTTPField("Content-Type", type)], body: .bytes(bytes))
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], type: String) -> Self {
        HTTPResponse(.ok, fields: [HTTPField("Content-Type", type)], body: .bytes(bytes))
    }

    /// Pieces of a media type.
    public static func pieces(_ pieces: HTTPPieces, type: String) -> Self {
        HTTPResponse(.ok, fields: [HTTPField("Content-Type", type)], body: .pieces(pieces))
    }

    /// A file that tells its media type itself.
    public static func file(_ file: HTTPFile) -> Self { HTTPResponse(.ok, body: .file(file)) }

    /// A file of a media type.
    public static func file(_ file: HTTPFile, type: String) -> Self {
        HTTPResponse(.ok, fields: [HTTPField("Content-Type", type)], body: .file(file))
    }
}

/// How an exchange went.
public struct HTTPReport: Sendable {
    /// The request.
    public var request: HTTPRequest
    /// The status that was sent.
    public var status: HTTPStatus
    /// How many bytes of content the kernel took for the client.
    public var bytes: UInt64
    /// How many bytes of content there were to send; nil for a stream.
    public var expected: UInt64?
    /// From the whole request to the last byte, in seconds.
    public var seconds: Double
    /// Whether all of the reply was sent; false when the client left or stopped reading.
    public var isComplete: Bool
}

/// Answers requests, and is told how the answers arrived.
public protocol HTTPHandler: Sendable {
    /// The answer to a request, on a thread that may wait; other connections go on.
    func respond(to request: HTTPRequest) -> HTTPResponse
    /// The answer to a request when it is known without waiting, on a thread that serves many connections; nil has
    /// `respond` asked. Never a stream.
    func respondAtOnce(to request: HTTPRequest) -> HTTPResponse?
    /// The answer was sent, or cut off. Called one after another, on a thread that may wait.
    func finished(_ report: HTTPReport)
    /// Whether `finished` is to be called for such a request.
    func wantsReport(of head: HTTPRequestHead) -> Bool
    /// The files that it keeps open, for the server to close those that are not asked for any more.
    var openFiles: OpenFiles? { get }
}

extension HTTPHandler {
    /// Has `respond` asked.
    public func respondAtOnce(to request: HTTPRequest) -> HTTPResponse? { nil }
    /// Takes no note.
    public func finished(_ report: HTTPReport) {}
    /// Wants all.
    public func wantsReport(of head: HTTPRequestHead) -> Bool { true }
    /// Keeps none.
    public var openFiles: OpenFiles? { nil }
}
