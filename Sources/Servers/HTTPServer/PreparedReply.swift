import HTTP1
import NetworkIO

/// A reply but for its date: what is the same each time that it is sent.
struct PreparedReply {
    /// What follows the head.
    enum Content {
        case none
        case bytes([UInt8])
        /// Bytes of a file, counted from the file's start.
        case file(FileDescriptor, Range<UInt64>)
        /// What is put together while it is sent.
        case pieces([HTTPPieces.Piece])
    }

    var status: HTTPStatus
    /// The head up to its date, with `Date: ` as its end.
    var front: [UInt8] = []
    var content = Content.none
    /// Whether another request may follow.
    var keepsConnection: Bool
    /// Where the file is kept open; the reply holds for as long as that is current.
    var kept: OpenFiles.OpenFile?

    /// How many bytes of content there are to send.
    var length: UInt64 {
        switch content {
        case .none: 0
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, let range): UInt64(range.count)
        case .pieces(let pieces): pieces.reduce(0) { $0 + $1.size }
        }
    }

    /// The reply to a request with what its handler has answered; not for streams.
    init(_ response: HTTPResponse, to request: HTTPRequestHead) {
        status = response.status
        keepsConnection = request.keepsConnection
        switch response.body {
        case .none, .stream: finish(response.fields, length: 0)
        case .bytes(let bytes):
            finish(response.fields, length: UInt64(bytes.count))
            if request.method != .head, !bytes.isEmpty, !status.isBodiless { content = .bytes(bytes) }
        case .file(let file):
            if let range = settle(file, response, request) {
                content = .file(file.descriptor, file.offset + range.lowerBound..<file.offset + range.upperBound)
            }
            if response.isForAnyone { kept = file.kept }
        case .pieces(let pieces):
            if let range = settle(pieces, response, request) { content = .pieces(pieces.part(range)) }
        }
    }

    /// The answer to what was no request; the connection ends.
    init(refusing status: HTTPStatus, _ message: String) {
        self.status = status
        keepsConnection = false
        let text = Array((message + "\n").utf8)
        finish([HTTPField("Content-Type", "text/plain; charset=utf-8")], length: UInt64(text.count))
        content = .bytes(text)
    }

    /// Writes the head that ranges and conditions lead to; gives the part of the content that follows it.
    private mutating func settle(
        _ file: some RangedContent,
        _ response: HTTPResponse,
        _ request: HTTPRequestHead
    ) -> Range<UInt64>? {
        var range = 0..<file.size
        var placed: (range: Range<UInt64>?, size: UInt64)?
        if status == .ok {
            switch HTTPContentChoice(for: request, size: file.size, tag: file.tag, modified: file.modified) {
            case .whole: break
            case .part(let part):
                status = .partialContent
                range = part
                placed = (part, file.size)
            case .notModified: status = .notModified
            case .preconditionFailed: status = .preconditionFailed
            case .unsatisfiable:
                status = .rangeNotSatisfiable
                placed = (nil, file.size)
            }
        }
        let hasContent = status == response.status || status == .partialContent
        let length = hasContent ? UInt64(range.count) : 0
        finish(response.fields, file: file, placed: placed, length: length)
        return hasContent && length > 0 && request.method != .head ? range : nil
    }

    private mutating func finish(
        _ fields: [HTTPField],
        file: (any RangedContent)? = nil,
        placed: (range: Range<UInt64>?, size: UInt64)? = nil,
        length: UInt64
    ) {
        front.reserveCapacity(384)
        HTTPResponseHead.writeStatus(status, to: &front)
        for field in fields { HTTPResponseHead.writeField(field.name, field.value, to: &front) }
        if let file {
            file.writeFields(to: &front)
        }
        if let placed {
            front.append(contentsOf: "Content-Range: bytes ".utf8)
            if let range = placed.range {
                HTTPResponseHead.writeDecimal(range.lowerBound, to: &front)
                front.append(0x2D)
                HTTPResponseHead.writeDecimal(range.upperBound - 1, to: &front)
            } else {
                front.append(0x2A)
            }
            front.append(0x2F)
            HTTPResponseHead.writeDecimal(placed.size, to: &front)
            front.append(contentsOf: "\r\n".utf8)
        }
        if !status.isBodiless {
            front.append(contentsOf: "Content-Length: ".utf8)
            HTTPResponseHead.writeDecimal(length, to: &front)
            front.append(contentsOf: "\r\n".utf8)
        }
        if !keepsConnection { front.append(contentsOf: "Connection: close\r\n".utf8) }
        front.append(contentsOf: "Date: ".utf8)
    }
}

/// Content of which a part may be asked for.
protocol RangedContent {
    var size: UInt64 { get }
    var tag: String { get }
    var modified: Int? { get }
    /// The fields that tell of the content itself.
    func writeFields(to bytes: inout [UInt8])
}

extension HTTPPieces: RangedContent {
    /// They are made anew each time.
    var modified: Int? { nil }
    func writeFields(to bytes: inout [UInt8]) {
        HTTPResponseHead.writeField("ETag", tag, to: &bytes)
        HTTPResponseHead.writeField("Accept-Ranges", "bytes", to: &bytes)
    }
}

extension HTTPFile: RangedContent {
    func writeFields(to bytes: inout [UInt8]) {
        if let known = kept?.fields { return bytes.append(contentsOf: known) }
        if let type { HTTPResponseHead.writeField("Content-Type", type, to: &bytes) }
        HTTPResponseHead.writeField("ETag", tag, to: &bytes)
        HTTPResponseHead.writeField("Accept-Ranges", "bytes", to: &bytes)
        if let modified {
            HTTPResponseHead.writeField("Last-Modified", HTTPDate(seconds: modified).description, to: &bytes)
        }
    }
}
