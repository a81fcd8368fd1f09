import CLinux
import HTTP1
import NetworkIO
import Synchronization

/// How requests arrive.
extension HTTPLoop {
    /// What became of the bytes that have arrived.
    enum Progress { case goOn, wait, closed }

    /// Reads and uses what has arrived, until there is something to answer or nothing more to read.
    mutating func takeInput(_ connection: HTTPConnection) -> Progress {
        var end = connection.pending.count
        if end > 0 {
            buffer.replaceSubrange(0..<end, with: connection.pending)
            connection.pending = []
        }
        while true {
            if end > 0 {
                let used = use(connection, end)
                if let used {
                    keep(connection, used..<end)
                    return isOver(connection) ? .wait : .goOn
                }
                if case .body = connection.phase { end = 0 }
            }
            guard connection.isReadable else { break }
            let room = end
            let socket = connection.socket
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(socket, $0.baseAddress.map { unsafe $0 + room }, $0.count - room, 0)
            }
            if count > 0 {
                // Less than there was room for: the kernel has no more, and tells when it has.
                if count < buffer.count - end, !connection.hasEnded { connection.isReadable = false }
                if case .idle = connection.phase {
                    connection.phase = .head
                    connection.deadline = now + seconds(around.options.requestSeconds)
                }
                end += count
                continue
            }
            if count == 0 { return .closed }
            switch clinux_errno() {
            case EINTR: continue
            case EAGAIN: connection.isReadable = false
            default: return .closed
            }
        }
        keep(connection, 0..<end)
        return .wait
    }

    private func keep(_ connection: HTTPConnection, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        connection.pending = Array(buffer[range])
    }

    /// Uses the first `end` bytes of the buffer; gives how many, or nil when more is needed.
    private mutating func use(_ connection: HTTPConnection, _ end: Int) -> Int? {
        if case .body(let head) = connection.phase { return takeBody(connection, head, from: 0, to: end) }
        // Bytes that came behind the last request begin the next one.
        if case .idle = connection.phase {
            connection.phase = .head
            connection.deadline = now + seconds(around.options.requestSeconds)
        }
        let outline = HeadOutline(buffer.span.extracting(0..<end), searched: connection.searched)
        if let outline, let known = memo.find(buffer.span, outline) {
            answer(connection, known, outline)
            return outline.length
        }
        let parsed: HTTPRequestParser.Parsed?
        do throws(HTTPRequestError) {
            parsed = try HTTPRequestParser.parse(buffer.span.extracting(0..<end), searched: connection.searched)
        } catch {
            refuse(connection, error.status, error.description)
            return end
        }
        guard let parsed else {
            connection.searched = end
            return nil
        }
        if let outline, let entry = memo.keep(buffer[..<parsed.length], outline, parsed.head) {
            answer(connection, entry, outline)
            return parsed.length
        }
        guard parsed.head.contentLength > 0 else {
            answer(connection, parsed.head)
            return parsed.length
        }
        return begin(connection, parsed.head, from: parsed.length, to: end)
    }

    /// Answers a request without a body that is not worth remembering.
    private mutating func answer(_ connection: HTTPConnection, _ head: HTTPRequestHead) {
        guard !refusesExpectation(connection, head) else { return }
        let request = HTTPRequest(head: head, body: [], peer: connection.peer, local: connection.local)
        answer(connection, request, nil)
    }

    /// Whether a request expects what nobody here knows; it is refused then (RFC 9110 section 10.1.1).
    private mutating func refusesExpectation(_ connection: HTTPConnection, _ head: HTTPRequestHead) -> Bool {
        guard head.minorVersion > 0, let expectation = head.value(of: "expect"),
            expectation.lowercased() != "100-continue"
        else { return false }
        refuse(connection, .expectationFailed, "Expect: \(expectation) is not known here")
        return true
    }

    /// A head with a body has arrived.
    private mutating func begin(
        _ connection: HTTPConnection,
        _ head: HTTPRequestHead,
        from start: Int,
        to end: Int
    ) -> Int? {
        guard !refusesExpectation(connection, head) else { return end }
        guard head.contentLength <= around.options.bodyLimit else {
            refuse(connection, .contentTooLarge, "the body is larger than \(around.options.bodyLimit) bytes")
            return end
        }
        if head.expectsContinue, start == end {
            // A connection between two requests has room for these few bytes.
            let go = HTTPResponseHead(.continue).encoded
            _ = unsafe go.withUnsafeBytes {
                unsafe CLinux.send(connection.socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
        }
        connection.body = []
        connection.phase = .body(head)
        return takeBody(connection, head, from: start, to: end)
    }

    private mutating func takeBody(
        _ connection: HTTPConnection,
        _ head: HTTPRequestHead,
        from start: Int,
        to end: Int
    ) -> Int? {
        let used = min(end - start, head.contentLength - connection.body.count)
        connection.body.append(contentsOf: buffer[start..<start + used])
        guard connection.body.count == head.contentLength else { return nil }
        let request = HTTPRequest(head: head, body: connection.body, peer: connection.peer, local: connection.local)
        connection.body = []
        answer(connection, request, nil)
        return start + used
    }

    private mutating func answer(
        _ connection: HTTPConnection,
        _ entry: RequestMemo.Entry,
        _ outline: HeadOutline
    ) {
        if let range = outline.range {
            if let reply = entry.part, reply.kept.isCurrent(now),
                let part = reply.part(first: range.first, last: range.last)
            {
                reply.kept.used.store(now, ordering: .relaxed)
                return send(reply, part, on: connection, entry.isReported ? request(entry, outline, connection) : nil)
            }
        } else if let reply = entry.reply, let kept = reply.kept, kept.isCurrent(now) {
            kept.used.store(now, ordering: .relaxed)
            return send(reply, on: connection, entry.isReported ? request(entry, outline, connection) : nil, now)
        }
        let request = request(entry, outline, connection)
        guard !refusesExpectation(connection, request.head) else { return }
        answer(connection, request, entry)
    }

    private func request(
        _ entry: RequestMemo.Entry,
        _ outline: HeadOutline,
        _ connection: HTTPConnection
    ) -> HTTPRequest {
        HTTPRequest(head: entry.head(outline), body: [], peer: connection.peer, local: connection.local)
    }

    private mutating func answer(_ connection: HTTPConnection, _ request: HTTPRequest, _ entry: RequestMemo.Entry?) {
        if let response = around.handler.respondAtOnce(to: request) {
            let reply = PreparedReply(response, to: request.head)
            let isReported = around.handler.wantsReport(of: request.head)
            if let entry {
                entry.reply = entry.gap != nil || reply.kept == nil ? nil : reply
                entry.part = entry.gap == nil ? nil : PartialReply(response, to: request.head)
                entry.isReported = isReported
            }
            send(reply, on: connection, isReported ? request : nil, now)
            return
        }
        connection.phase = .answering
        connection.entry.idleSince.store(0, ordering: .relaxed)
        guard !around.ask(connection.mark, request, connection.entry.socket, now) else { return }
        let busy = HTTPResponse.text(.serviceUnavailable, "the server has no thread to give: try again")
        send(PreparedReply(busy, to: request.head), on: connection, nil, now)
    }
}
