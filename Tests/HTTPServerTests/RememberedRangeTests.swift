import CLinux
import HTTP1
import Logging
import NetworkIO
import NetworkTypes
import Synchronization
import Testing

@testable import HTTPServer

/// Ranges that are answered without reading the head again must be answered as if it had been read.
@Suite(.timeLimit(.minutes(5))) struct RememberedRangeTests {
    private func outline(_ text: String, searched: Int = 0) -> HeadOutline? {
        HeadOutline(Array(text.utf8).span, searched: searched)
    }

    @Test func findsTheEndAndTheNumbers() throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=10-999\r\nA: b\r\n\r\n"
        let found = try #require(outline(text + "GET /"))
        #expect(found.length == text.utf8.count)
        #expect(found.range?.first == 10)
        #expect(found.range?.last == 999)
        let place = try #require(found.range?.place)
        #expect(Array(text.utf8)[place] == Array("10-999".utf8)[...])
        #expect(outline(String(text.dropLast())) == nil)
    }

    @Test(arguments: [
        "-5", "5-", "-", "", "1-2,4-5", "1-2 ", " 1-2", "a-2", "1-0x2", "1--2", "1-2-", "1234567890123456789-2",
        "1-1234567890123456789", "１-2",
    ]) func leavesOtherFormsToTheParser(value: String) throws {
        let found = try #require(outline("GET / HTTP/1.1\r\nRange: bytes=\(value)\r\n\r\n"))
        #expect(found.range == nil)
    }

    @Test(arguments: [
        "Range: bytes=1-2 HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nX-Range: bytes=1-2\r\n\r\n",
        "GET / HTTP/1.1\nRange: bytes=1-2\n\r\n\r\n", "GET / HTTP/1.1\r\nRange: bytes=1-2",
    ]) func isNotTakenInByALikeness(text: String) {
        let found = outline(text)
        #expect(found?.range == nil || text.contains("HTTP/1.1\n"))
        #expect(found == nil || found?.length == text.utf8.count)
    }

    @Test func endsWhereTheParserEnds() {
        var generator = SystemRandomNumberGenerator()
        let words = ["\r\n", "\r", "\n", "Range: bytes=", "1-2", "7", "GET / HTTP/1.1", "\r\n\r\n", "A: b", "\0", "é"]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in words.randomElement() ?? "" }.joined()
            let bytes = Array(text.utf8)
            let searched = Int.random(in: 0...bytes.count, using: &generator)
            let expected = HTTPRequestParser.endOfHead(bytes.span, from: max(0, searched - 3))
            #expect(HeadOutline(bytes.span, searched: searched)?.length == expected, "\(text.debugDescription)")
        }
    }

    /// A directory with `data`, a server of it that notes its reports, and one connection.
    private final class Exchange {
        let directory: String
        let reports = Reports()
        let server: HTTPServer
        let socket: StreamSocket

        final class Reports: Sendable {
            let all = Mutex<[HTTPReport]>([])
        }

        init(_ content: [UInt8]) throws {
            var template = Array("/tmp/diskless-http-range-XXXXXX".utf8CString)
            try #require(unsafe mkdtemp(&template) != nil)
            directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let file = unsafe clinux_open("\(directory)/data", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            let count = unsafe content.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
            close(file)
            try #require(count == content.count)
            let handler = try HTTPDirectory(directory) { [reports] report in
                reports.all.withLock { $0.append(report) }
            }
            server = try HTTPServer(on: StreamListener(tcp: Endpoint(.loopback, 0)), handler: handler, logger: logger)
            guard case .tcp(let endpoint) = server.place else { throw SystemCallError("no TCP", number: EINVAL) }
            socket = try StreamSocket(connectingTo: endpoint)
            socket.setTimeouts(receive: 5, send: 5)
        }

        deinit {
            server.stop()
            _ = unsafe unlink("\(directory)/data")
            _ = unsafe rmdir(directory)
        }

        func ask(_ fields: String, method: String = "GET") throws -> (head: String, content: [UInt8]) {
            try socket.send(Array("\(method) /data HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8))
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            var end: Int?
            var length = 0
            while bytes.count < (end ?? .max - length) + length {
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe (try? socket.receive(into: $0)) ?? 0 }
                if count <= 0 { break }
                bytes += buffer[..<count]
                guard end == nil, let found = HTTPRequestParser.endOfHead(bytes.span, from: 0) else { continue }
                end = found
                let line = String(decoding: bytes[..<found], as: UTF8.self).split(separator: "\r\n")
                    .first { $0.hasPrefix("Content-Length: ") }
                length = method == "HEAD" ? 0 : line.flatMap { Int($0.dropFirst(16)) } ?? 0
            }
            let head = end ?? bytes.count
            return (String(decoding: bytes[..<head], as: UTF8.self), Array(bytes[head...]))
        }
    }

    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }

    @Test func eachGetsItsOwnNumbers() throws {
        let exchange = try Exchange(Self.content)
        let ranges = [0...9, 0...9, 10...10, 299_999...299_999, 5...40_000, 0...299_999, 100...65_635, 7...8]
        for range in ranges {
            let reply = try exchange.ask("Range: bytes=\(range.lowerBound)-\(range.upperBound)\r\n")
            #expect(reply.head.hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
            #expect(reply.head.contains("\r\nContent-Range: bytes \(range.lowerBound)-\(range.upperBound)/300000\r\n"))
            #expect(reply.head.contains("\r\nContent-Length: \(range.count)\r\n"))
            #expect(reply.content == Array(Self.content[range]))
        }
        // Past the end: what there is.
        let last = try exchange.ask("Range: bytes=299990-400000\r\n")
        #expect(last.head.contains("\r\nContent-Range: bytes 299990-299999/300000\r\n"))
        #expect(last.content == Array(Self.content[299_990...]))
        let end = ContinuousClock.now + .seconds(3)
        while exchange.reports.all.withLock(\.count) < ranges.count + 1, ContinuousClock.now < end {}
        let told = exchange.reports.all.withLock { $0 }
        let asked = ranges.map { "bytes=\($0.lowerBound)-\($0.upperBound)" } + ["bytes=299990-400000"]
        #expect(told.map { $0.request.head.value(of: "range") } == asked)
        #expect(told.map(\.bytes) == ranges.map { UInt64($0.count) } + [10])
    }

    @Test func theHeadIsTheOneOfTheFirstTime() throws {
        let exchange = try Exchange(Self.content)
        let heads = try (0..<3).map { _ in try exchange.ask("Range: bytes=5-9\r\n").head }
        #expect(Set(heads.map { $0.split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") } }).count == 1)
    }

    @Test func whatIsNoPartStaysWhatItIs() throws {
        let exchange = try Exchange(Self.content)
        for _ in 0..<2 {
            #expect(try exchange.ask("Range: bytes=1-4\r\n").head.hasPrefix("HTTP/1.1 206 "))
            #expect(try exchange.ask("Range: bytes=300000-300001\r\n").head.hasPrefix("HTTP/1.1 416 "))
            #expect(try exchange.ask("Range: bytes=9-4\r\n").content.count == 300_000)
            #expect(try exchange.ask("Range: bytes=1-4\r\nRange: bytes=6-7\r\n").content.count == 300_000)
            #expect(try exchange.ask("Range: bytes=1-4\r\nIf-Range: \"no\"\r\n").content.count == 300_000)
            #expect(try exchange.ask("Range: bytes=1-4\r\nIf-Match: \"no\"\r\n").head.hasPrefix("HTTP/1.1 412 "))
            #expect(try exchange.ask("Range: bytes=1-4\r\n", method: "HEAD").head.hasPrefix("HTTP/1.1 206 "))
            #expect(try exchange.ask("Range: bytes=1-4\r\n", method: "POST").head.hasPrefix("HTTP/1.1 405 "))
            #expect(try exchange.ask("").content.count == 300_000)
        }
        #expect(try exchange.ask("Range: bytes=1-4\r\nExpect: more\r\n").head.hasPrefix("HTTP/1.1 417 "))
    }

    @Test func theConnectionEndsWhenItIsAskedTo() throws {
        for _ in 0..<2 {
            let exchange = try Exchange(Self.content)
            let reply = try exchange.ask("Range: bytes=1-4\r\nConnection: close\r\n")
            #expect(reply.head.contains("\r\nConnection: close\r\n"))
            #expect(reply.content == Array(Self.content[1...4]))
            var buffer: [UInt8] = [0]
            #expect(unsafe buffer.withUnsafeMutableBytes { unsafe (try? exchange.socket.receive(into: $0)) ?? -1 } == 0)
        }
    }
}
