import HTTP1
import Testing

private func parse(_ text: String) throws -> HTTPRequestParser.Parsed? {
    try HTTPRequestParser.parse(Array(text.utf8).span)
}

@Suite struct HTTPRequestParserTests {
    @Test func readsARequest() throws {
        let parsed = try #require(
            try parse("GET /images/debian/7/root%20fs?a=1&b=x+y HTTP/1.1\r\nHost: s\r\nRange:  bytes=0-1 \r\n\r\nrest")
        )
        #expect(parsed.head.method == .get)
        #expect(parsed.head.path.components == ["images", "debian", "7", "root fs"])
        #expect(parsed.head.queryItems == ["a": "1", "b": "x y"])
        #expect(parsed.head.value(of: "range") == "bytes=0-1")
        #expect(parsed.head.keepsConnection)
    }

    @Test func waitsForTheRest() throws {
        #expect(try parse("GET / HTTP/1.1\r\nHost: s\r\n") == nil)
        #expect(try parse("") == nil)
    }

    @Test func takesAbsoluteTargets() throws {
        #expect(try parse("GET http://10.0.0.1:8067/a HTTP/1.1\r\nHost: s\r\n\r\n")?.head.target == "/a")
        #expect(try parse("GET http://10.0.0.1 HTTP/1.1\r\nHost: s\r\n\r\n")?.head.target == "/")
    }

    @Test func closesAsAsked() throws {
        #expect(try parse("GET / HTTP/1.0\r\n\r\n")?.head.keepsConnection == false)
        #expect(try parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")?.head.keepsConnection == true)
        #expect(try parse("GET / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n")?.head.keepsConnection == false)
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .invalidHost),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .invalidRequestLine),
            ("GET /\r\nHost: a\r\n\r\n", .invalidRequestLine),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", .invalidRequestLine),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .invalidField(line: 1)),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", .invalidField(line: 2)),
            ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", .invalidField(line: 1)),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", .transferEncoding),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", .invalidContentLength),
            ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", .invalidTarget),
            ("GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", .invalidTarget),
            ("GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", .invalidTarget),
            ("GET etc HTTP/1.1\r\nHost: a\r\n\r\n", .invalidTarget),
            ("GET /../../etc/shadow HTTP/1.1\r\nHost: a\r\n\r\n", .pathLeavesRoot),
            ("GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", .pathLeavesRoot),
        ] as [(String, HTTPRequestError)]
    ) func refuses(text: String, error: HTTPRequestError) {
        #expect(throws: error) { try parse(text) }
    }

    @Test(arguments: ["%0a", "%1b[2J", "%00", "%c2%9b", "%e2%80%a8"]) func aPathStaysOnItsLine(text: String) {
        #expect(throws: HTTPRequestError.invalidTarget) { try parse("GET /a\(text)b HTTP/1.1\r\nHost: a\r\n\r\n") }
    }

    @Test func boundsTheHead() {
        let long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 17000)
        #expect(throws: HTTPRequestError.headTooLarge) { try parse(long) }
        #expect(throws: HTTPRequestError.headTooLarge) { try parse(long + "\r\n\r\n") }
        let many = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n"
        #expect(throws: HTTPRequestError.headTooLarge) { try parse(many) }
    }

    @Test func expectIsForBodies() throws {
        let text = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        let head = try #require(try parse(text)).head
        #expect(head.contentLength == 3)
        #expect(head.expectsContinue)
    }

    @Test func mutatedRequestsNeverTrap() {
        var random = SplitMix(state: 11)
        let seed = Array(
            "POST /boot/52-54?x=%20 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n"
                .utf8
        )
        for _ in 0..<20_000 {
            var bytes = seed
            random.mutate(&bytes)
            guard let parsed = try? HTTPRequestParser.parse(bytes.span) else { continue }
            #expect(parsed.length <= bytes.count)
            _ = HTTPContentChoice(for: parsed.head, size: 10, tag: "\"a\"", modified: 5)
            _ = parsed.head.queryItems
        }
    }

    @Test func repliesCannotBeSplit() {
        let head = HTTPResponseHead(.found, [HTTPField("Location", "/a\r\nSet-Cookie: x")])
        #expect(
            String(decoding: head.encoded, as: UTF8.self) == "HTTP/1.1 302 Found\r\nLocation: /a  Set-Cookie: x\r\n\r\n"
        )
    }

    @Test func chunks() {
        #expect(HTTPChunk.encode(Array("hello world, hello".utf8)) == Array("12\r\nhello world, hello\r\n".utf8))
        #expect(HTTPChunk.encode([]) == [])
    }
}

/// A small seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func mutate(_ bytes: inout [UInt8]) {
        for _ in 0...next() % 4 {
            let at = bytes.isEmpty ? 0 : Int(next() % UInt64(bytes.count))
            switch next() % 4 {
            case 0 where !bytes.isEmpty: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1 where !bytes.isEmpty: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: at)
            default: bytes = Array(bytes.prefix(at))
            }
        }
    }
}
