import CLinux
import HTTP1
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Reads requests from one connection and has them answered, one after another.
struct HTTPConnection: ~Copyable {
    private let entry: ConnectionEntry
    private let handler: any HTTPHandler
    private let options: HTTPServerOptions
    private let logger: Logger
    private let peer: HTTPPeer
    private let local: Endpoint?
    private var buffer = [UInt8](repeating: 0, count: 4096)
    /// How many bytes of `buffer` have arrived and were not used yet; they lie at its start.
    private var filled = 0
    private var sender: HTTPReplySender

    init(_ entry: ConnectionEntry, handler: any HTTPHandler, options: HTTPServerOptions, logger: Logger) {
        self.entry = entry
        self.handler = handler
        self.options = options
        self.logger = logger
        if let endpoint = entry.socket.peer {
            peer = .network(endpoint)
        } else {
            let credentials = entry.socket.peerCredentials
            peer = .process(id: credentials?.process ?? 0, user: credentials?.user ?? .max)
        }
        local = entry.socket.local
        sender = HTTPReplySender(entry.socket)
    }

    private enum Failure: Error {
        /// The client left, or was silent for too long where silence is allowed.
        case closed
        /// The request is refused; the connection ends after the reply.
        case refused(HTTPStatus, String)
    }

    mutating func run() {
        while true {
            do throws(Failure) {
                guard try answerOne() else { break }
            } catch {
                if case .refused(let status, let message) = error { refuse(status, message) }
                break
            }
        }
        entry.socket.disconnect()
    }

    /// Reads a request and answers it; false when the connection ends with it.
    private mutating func answerOne() throws(Failure) -> Bool {
        let head = try readHead()
        let body = try readBody(head)
        entry.idleSince.store(0, ordering: .relaxed)
        let request = HTTPRequest(head: head, body: body, peer: peer, local: local)
        let report = sender.send(handler.respond(to: request), for: request)
        handler.finished(report)
        entry.idleSince.store(monotonicNow(), ordering: .relaxed)
        return report.isComplete && sender.keepsConnection
    }

    private mutating func readHead() throws(Failure) -> HTTPRequestHead {
        var searched = 0
        let began = monotonicNow()
        var firstByte: UInt64? = filled > 0 ? began : nil
        while true {
            if filled > 0 {
                if let parsed = try parse(searched) {
                    use(parsed.length)
                    return parsed.head
                }
                searched = filled
            }
            if filled == buffer.count {
                buffer.append(contentsOf: repeatElement(0, count: buffer.count))
            }
            let limit = firstByte == nil ? options.idleSeconds : options.requestSeconds
            let count = try receive(since: firstByte ?? began, limit: limit, inRequest: firstByte != nil)
            if firstByte == nil { firstByte = monotonicNow() }
            filled += count
        }
    }

    private func parse(_ searched: Int) throws(Failure) -> HTTPRequestParser.Parsed? {
        do throws(HTTPRequestError) {
            return try HTTPRequestParser.parse(buffer.span.extracting(0..<filled), searched: searched)
        } catch {
            throw .refused(error.status, error.description)
        }
    }

    private mutating func readBody(_ head: HTTPRequestHead) throws(Failure) -> [UInt8] {
        if let expectation = head.value(of: "expect"), head.minorVersion > 0, expectation.lowercased() != "100-continue"
        {
            throw .refused(.expectationFailed, "Expect: \(expectation) is not known here")
        }
        guard head.contentLength > 0 else { return [] }
        guard head.contentLength <= options.bodyLimit else {
            throw .refused(.contentTooLarge, "the body is larger than \(options.bodyLimit) bytes")
        }
        if head.expectsContinue, filled == 0 {
            guard (try? entry.socket.send(HTTPResponseHead(.continue).encoded)) != nil else { throw .closed }
        }
        var body = Array(buffer[..<min(filled, head.contentLength)])
        use(body.count)
        let began = monotonicNow()
        while body.count < head.contentLength {
            let count = try receive(since: began, limit: options.requestSeconds, inRequest: true)
            let used = min(count, head.contentLength - body.count)
            body.append(contentsOf: buffer[..<used])
            filled = count
            use(used)
        }
        return body
    }

    /// Receives behind what is in the buffer; the receive timeout of the socket only paces the look at the clock.
    private mutating func receive(since: UInt64, limit: Int, inRequest: Bool) throws(Failure) -> Int {
        while true {
            let socket = entry.socket
            let start = filled
            var failure: CInt = 0
            let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
                do throws(SystemCallError) {
                    return unsafe try socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
                } catch {
                    failure = error.number
                    return -1
                }
            }
            if count > 0 { return count }
            guard count < 0, failure == EAGAIN else { throw .closed }
            guard monotonicNow() - since < UInt64(limit) * 1_000_000_000 else {
                guard inRequest else { throw .closed }
                throw .refused(.requestTimeout, "the request did not arrive within \(limit) s")
            }
        }
    }

    /// Drops bytes from the start of the buffer.
    private mutating func use(_ count: Int) {
        if count < filled { buffer.replaceSubrange(0..<filled - count, with: Array(buffer[count..<filled])) }
        filled -= count
    }

    private mutating func refuse(_ status: HTTPStatus, _ message: String) {
        logger.info("HTTP \(peer): refused: \(message.printable)")
        sender.refuse(status, message)
        // Closing with unread bytes resets the connection, and the client would never see the reply.
        let socket = entry.socket
        shutdown(socket.descriptor.number, CInt(SHUT_WR))
        socket.setTimeouts(receive: 1)
        for _ in 0..<64 {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe (try? socket.receive(into: $0)) ?? 0 }
            if count <= 0 { break }
        }
    }
}
