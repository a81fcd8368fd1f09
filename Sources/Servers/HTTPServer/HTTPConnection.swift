import HTTP1
import NetworkIO
import NetworkTypes

/// One connection, as the thread that serves it keeps it.
final class HTTPConnection {
    /// What it does.
    enum Phase {
        /// Nothing of a request has arrived.
        case idle
        /// A head is arriving.
        case head
        /// The body of a request is arriving.
        case body(HTTPRequestHead)
        /// A handler works on the answer, or streams it.
        case answering
        /// A reply goes out.
        case sending(OutgoingReply)
        /// The last reply is out; the client gets time to read it before the connection is closed.
        case lingering
    }

    let entry: ConnectionEntry
    let peer: HTTPPeer
    let local: Endpoint?
    /// Its place in the loop and how often the place was used: what the kernel tells of it.
    let mark: UInt64
    var phase = Phase.idle
    /// When its patience ends (monotonic nanoseconds).
    var deadline: UInt64 = 0
    /// What has arrived and was not used yet.
    var pending: [UInt8] = []
    /// How many bytes of `pending` are known to hold no end of a head.
    var searched = 0
    /// The body that is arriving.
    var body: [UInt8] = []
    /// Whether the kernel may have something to read.
    var isReadable = true
    /// Whether the client has ended its side.
    var hasEnded = false

    init(_ entry: ConnectionEntry, mark: UInt64) {
        self.entry = entry
        self.mark = mark
        if let endpoint = entry.socket.peer {
            peer = .network(endpoint)
        } else {
            let credentials = entry.socket.peerCredentials
            peer = .process(id: credentials?.process ?? 0, user: credentials?.user ?? .max)
        }
        local = entry.socket.local
    }

    var socket: CInt { entry.socket.descriptor.number }
}

/// A reply that did not go out in one piece.
struct OutgoingReply {
    /// Head and content that are in memory, as far as they are not sent.
    var bytes: [UInt8]
    var position = 0
    /// A file, and what of it is not sent yet.
    var file: (descriptor: FileDescriptor, left: Range<UInt64>)?
    /// What follows, in order.
    var pieces: ArraySlice<HTTPPieces.Piece> = []
    /// What it is reported as.
    var account: ReplyAccount
}

extension OutgoingReply {
    /// The most zero bytes that lie in memory at once.
    private static let zeroRun: UInt64 = 65536

    /// How many bytes of it are still to be sent.
    var unsent: UInt64 {
        UInt64(bytes.count - position) + UInt64(file?.left.count ?? 0) + pieces.reduce(0) { $0 + $1.size }
    }

    /// Takes up the next piece; false when there is none.
    mutating func takeNextPiece() -> Bool {
        guard let piece = pieces.popFirst() else { return false }
        position = 0
        bytes = []
        file = nil
        switch piece {
        case .bytes(let content): bytes = content
        case .file(let descriptor, let range): file = (descriptor, range)
        case .zeros(let count):
            bytes = [UInt8](repeating: 0, count: Int(min(count, Self.zeroRun)))
            if count > Self.zeroRun { pieces.insert(.zeros(count - Self.zeroRun), at: pieces.startIndex) }
        }
        return true
    }
}

/// What will be told about a reply.
struct ReplyAccount {
    /// nil where nobody wants a report.
    var request: HTTPRequest?
    var status: HTTPStatus
    var expected: UInt64?
    var began: UInt64
    var keepsConnection: Bool

    /// The report of a reply of which `unsent` bytes of content did not go out.
    func report(unsent: UInt64, isComplete: Bool) -> HTTPReport? {
        guard let request else { return nil }
        return HTTPReport(
            request: request,
            status: status,
            bytes: (expected ?? 0) - min(unsent, expected ?? 0),
            expected: expected,
            seconds: Double(monotonicNow() - began) / 1e9,
            isComplete: isComplete
        )
    }
}
