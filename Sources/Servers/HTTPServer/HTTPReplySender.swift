import CLinux
import HTTP1
import NetworkIO

/// Sends replies on one connection: small ones in one call, files by way of the kernel.
struct HTTPReplySender: ~Copyable {
    /// Files up to this size are read and sent with their head.
    private static let smallFile: UInt64 = 16384

    private let socket: StreamSocket
    private var dateSecond = 0
    private var date = ""
    /// Whether another request may follow the reply that was sent last.
    private(set) var keepsConnection = true

    init(_ socket: StreamSocket) { self.socket = socket }

    private struct Sent {
        var status: HTTPStatus
        var bytes: UInt64 = 0
        var expected: UInt64?
        var isComplete = false
    }

    /// Sends the answer to a request.
    ///
    /// Never throws: the report says how far it came.
    mutating func send(_ response: HTTPResponse, for request: HTTPRequest) -> HTTPReport {
        let began = monotonicNow()
        keepsConnection = request.head.keepsConnection
        let sent: Sent
        switch response.body {
        case .none: sent = sendBytes([], response, request)
        case .bytes(let bytes): sent = sendBytes(bytes, response, request)
        case .file(let file):
            sent = sendRange(file.size, tag: file.tag, modified: file.modified, response, request) {
                (sender, range, reply) in
                sender.send(file, range, after: &reply)
            }
        case .pieces(let pieces):
            sent = sendRange(pieces.size, tag: pieces.tag, modified: nil, response, request) {
                (sender, range, reply) in
                sender.send(pieces, range, after: reply)
            }
        case .stream(let produce): sent = sendStream(produce, response, request)
        }
        return HTTPReport(
            request: request,
            status: sent.status,
            bytes: sent.bytes,
            expected: sent.expected,
            seconds: Double(monotonicNow() - began) / 1e9,
            isComplete: sent.isComplete
        )
    }

    /// Answers what was no request; the connection ends.
    mutating func refuse(_ status: HTTPStatus, _ message: String) {
        keepsConnection = false
        let text = Array((message + "\n").utf8)
        var reply = head(status, [HTTPField("Content-Type", "text/plain; charset=utf-8")], length: UInt64(text.count))
        reply += text
        try? socket.send(reply)
    }

    private mutating func sendBytes(_ bytes: [UInt8], _ response: HTTPResponse, _ request: HTTPRequest) -> Sent {
        let length = response.status.isBodiless ? 0 : UInt64(bytes.count)
        var sent = Sent(status: response.status, expected: request.method == .head ? 0 : length)
        var reply = head(response.status, response.fields, length: response.status.isBodiless ? nil : length)
        let hasBody = length > 0 && request.method != .head
        // Copying a large body behind its head would cost more than a second call.
        let joins = hasBody && length <= 65536
        if joins { reply += bytes }
        guard (try? socket.send(reply, moreFollows: hasBody && !joins)) != nil else { return sent }
        if hasBody && !joins { guard (try? socket.send(bytes)) != nil else { return sent } }
        if hasBody { sent.bytes = length }
        sent.isComplete = true
        return sent
    }

    /// Answers ranges and conditions; `body` sends a part of the content behind the head, and counts its bytes.
    private mutating func sendRange(
        _ size: UInt64,
        tag: String,
        modified: Int?,
        _ response: HTTPResponse,
        _ request: HTTPRequest,
        body: (borrowing Self, Range<UInt64>, inout [UInt8]) -> UInt64
    ) -> Sent {
        var fields = response.fields
        fields.append(HTTPField("ETag", tag))
        fields.append(HTTPField("Accept-Ranges", "bytes"))
        if let modified {
            fields.append(HTTPField("Last-Modified", HTTPDate(seconds: modified).description))
        }
        var status = response.status
        var range = 0..<size
        if status == .ok {
            switch HTTPContentChoice(for: request.head, size: size, tag: tag, modified: modified) {
            case .whole: break
            case .part(let part):
                status = .partialContent
                range = part
                fields.append(
                    HTTPField("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)")
                )
            case .notModified:
                return sendBytes([], HTTPResponse(.notModified, fields: fields), request)
            case .preconditionFailed:
                return sendBytes([], HTTPResponse(.preconditionFailed, fields: fields), request)
            case .unsatisfiable:
                fields.append(HTTPField("Content-Range", "bytes */\(size)"))
                return sendBytes([], HTTPResponse(.rangeNotSatisfiable, fields: fields), request)
            }
        }
        let length = UInt64(range.count)
        var reply = head(status, fields, length: length)
        guard request.method != .head, length > 0 else {
            var sent = Sent(status: status, expected: 0)
            sent.isComplete = (try? socket.send(reply)) != nil
            return sent
        }
        var sent = Sent(status: status, expected: length)
        sent.bytes = body(self, range, &reply)
        sent.isComplete = sent.bytes == length
        return sent
    }

    /// Sends a part of a file behind the head; gives how many of its bytes went out.
    private func send(_ file: HTTPFile, _ range: Range<UInt64>, after reply: inout [UInt8]) -> UInt64 {
        if UInt64(range.count) <= Self.smallFile, append(file, range, to: &reply) {
            return (try? socket.send(reply)) == nil ? 0 : UInt64(range.count)
        }
        guard (try? socket.send(reply, moreFollows: true)) != nil else { return 0 }
        var sent: UInt64 = 0
        let place = file.offset + range.lowerBound..<file.offset + range.upperBound
        try? socket.sendFile(file.descriptor, place, sent: &sent)
        return sent
    }

    /// Sends a part of pieces behind the head; gives how many of its bytes went out.
    private func send(_ pieces: HTTPPieces, _ range: Range<UInt64>, after reply: [UInt8]) -> UInt64 {
        guard (try? socket.send(reply, moreFollows: true)) != nil else { return 0 }
        var sent: UInt64 = 0
        try? socket.send(pieces.part(range), sent: &sent)
        return sent
    }

    /// Reads a small part of a file behind the head; false when the file has become shorter.
    private func append(_ file: HTTPFile, _ range: Range<UInt64>, to reply: inout [UInt8]) -> Bool {
        let place = off_t(file.offset + range.lowerBound)
        return unsafe withUnsafeTemporaryAllocation(byteCount: range.count, alignment: 1) { bytes in
            guard unsafe pread(file.descriptor.number, bytes.baseAddress, bytes.count, place) == bytes.count else {
                return false
            }
            unsafe reply.append(contentsOf: bytes)
            return true
        }
    }

    private mutating func sendStream(
        _ produce: (HTTPStream) throws -> Void,
        _ response: HTTPResponse,
        _ request: HTTPRequest
    ) -> Sent {
        let isChunked = request.head.minorVersion > 0
        if !isChunked { keepsConnection = false }
        var sent = Sent(status: response.status, expected: nil)
        let fields = response.fields + (isChunked ? [HTTPField("Transfer-Encoding", "chunked")] : [])
        let reply = head(response.status, fields, length: nil)
        guard (try? socket.send(reply)) != nil else { return sent }
        guard request.method != .head else {
            sent.isComplete = true
            return sent
        }
        let stream = HTTPStream(socket, isChunked: isChunked)
        do {
            try produce(stream)
            stream.end()
            sent.isComplete = !stream.failed
        } catch {
            // Without its end the client knows that the content is cut.
            sent.isComplete = false
        }
        sent.bytes = stream.bytesSent
        return sent
    }

    private mutating func head(_ status: HTTPStatus, _ fields: [HTTPField], length: UInt64?) -> [UInt8] {
        var reply: [UInt8] = []
        reply.reserveCapacity(1024)
        var fields = fields
        if let length { fields.append(HTTPField("Content-Length", String(length))) }
        fields.append(HTTPField("Date", currentDate()))
        if !keepsConnection { fields.append(HTTPField("Connection", "close")) }
        HTTPResponseHead(status, fields).write(to: &reply)
        return reply
    }

    private mutating func currentDate() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now)
        if now.tv_sec != dateSecond {
            dateSecond = now.tv_sec
            date = HTTPDate(seconds: now.tv_sec).description
        }
        return date
    }
}
