import CLinux
import NetworkIO

/// One request and its answer: HTTP/1.1 (RFC 9112) as far as our own server speaks it.
final class AdminConnection {
    /// Largest head, and largest line of a stream, in bytes.
    private static let lineLimit = 1 << 20
    /// Largest body in bytes: the fleet of a million nodes.
    private static let bodyLimit = 1 << 30

    private enum Framing {
        case length(Int)
        case chunks(rest: Int)
        case untilEnd
        case over
    }

    private let path: String
    private let socket: StreamSocket
    private var buffer: [UInt8] = []
    private var start = 0
    private var framing = Framing.untilEnd
    private var content: [UInt8] = []

    init(_ path: String, patience: Double) throws {
        self.path = path
        do {
            socket = try StreamSocket(connectingTo: path)
        } catch let error as SystemCallError {
            switch error.number {
            case ENOENT, ECONNREFUSED, ENOTDIR: throw AdminClientError.notRunning(path)
            case EACCES, EPERM: throw AdminClientError.notAllowed(path)
            default: throw AdminClientError.broken(path, reason: error.reason)
            }
        }
        socket.setTimeouts(receive: patience, send: patience)
    }

    func send(_ method: String, _ target: String, body: [UInt8]) throws {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: diskless\r\nConnection: close\r\n"
        if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        do {
            try socket.send(Array((head + "\r\n").utf8), moreFollows: !body.isEmpty)
            try socket.send(body)
        } catch {
            // A server that refuses early has said why: the answer is worth more than this error.
            if error.number != EPIPE && error.number != ECONNRESET { throw broken(error) }
        }
    }

    /// Reads the answer's head and tells its status.
    func head() throws -> Int {
        let status = try headLine().split(separator: " ")
        guard status.count >= 2, status[0].hasPrefix("HTTP/1."), let code = Int(status[1]) else { throw unreadable }
        framing = .untilEnd
        while true {
            let line = try headLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { throw unreadable }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-length":
                guard let length = Int(value), (0...Self.bodyLimit).contains(length) else { throw unreadable }
                framing = .length(length)
            case "transfer-encoding" where value.lowercased() == "chunked": framing = .chunks(rest: 0)
            default: break
            }
        }
        if code == 204 || code == 304 { framing = .over }
        return code == 100 ? try head() : code
    }

    /// The rest of the body.
    func body() throws -> [UInt8] {
        while try more() { if content.count > Self.bodyLimit { throw unreadable } }
        defer { content = [] }
        return content
    }

    /// The next line of the body, without its end; nil after the last.
    func line() throws -> [UInt8]? {
        var searched = 0
        while true {
            if let end = content[searched...].firstIndex(of: 0x0a) {
                defer { content.removeSubrange(...end) }
                return Array(content[..<end])
            }
            searched = content.count
            guard searched <= Self.lineLimit else { throw unreadable }
            guard try more() else { return nil }
        }
    }

    /// Takes more of the body from the connection; false at its end.
    private func more() throws -> Bool {
        switch framing {
        case .over: return false
        case .length(0): return false
        case .length(let rest):
            let bytes = try take(atMost: rest)
            guard !bytes.isEmpty else { throw AdminClientError.broken(path, reason: "it ended early") }
            content += bytes
            framing = .length(rest - bytes.count)
        case .chunks(rest: 0):
            guard let size = Int(try headLine().prefix { $0 != ";" }, radix: 16), size <= Self.bodyLimit, size >= 0
            else {
                throw unreadable
            }
            guard size > 0 else {
                framing = .over
                return false
            }
            framing = .chunks(rest: size)
        case .chunks(let rest):
            let bytes = try take(atMost: rest)
            guard !bytes.isEmpty else { throw AdminClientError.broken(path, reason: "the server ended") }
            content += bytes
            framing = .chunks(rest: rest - bytes.count)
            if rest == bytes.count, try !headLine().isEmpty { throw unreadable }
        case .untilEnd:
            let bytes = try take(atMost: .max)
            content += bytes
            return !bytes.isEmpty
        }
        return true
    }

    private func headLine() throws -> String {
        while true {
            if let end = buffer[start...].firstIndex(of: 0x0a) {
                var line = buffer[start..<end]
                if line.last == 0x0d { line.removeLast() }
                start = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            guard buffer.count - start < Self.lineLimit else { throw unreadable }
            guard try receive() else { throw AdminClientError.broken(path, reason: "the server ended") }
        }
    }

    private func take(atMost count: Int) throws -> ArraySlice<UInt8> {
        if start == buffer.count, try !receive() { return [] }
        let end = start + min(count, buffer.count - start)
        defer { start = end }
        return buffer[start..<end]
    }

    private func receive() throws -> Bool {
        buffer.removeSubrange(..<start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 65536)
        do {
            let count = try unsafe chunk.withUnsafeMutableBytes { try unsafe socket.receive(into: $0) }
            buffer += chunk[..<count]
            return count > 0
        } catch let error as SystemCallError {
            throw broken(error)
        }
    }

    private var unreadable: AdminClientError { .unreadable(path) }

    private func broken(_ error: SystemCallError) -> AdminClientError {
        .broken(path, reason: error.number == EAGAIN ? "it did not answer in time" : error.reason)
    }
}
