import HTTP1
import Testing

@Suite struct HTTPContentTests {
    @Test(
        arguments: [
            ("bytes=0-4", .part(0..<5)), ("bytes=5-", .part(5..<100)), ("bytes=-10", .part(90..<100)),
            ("bytes=-1000", .part(0..<100)), ("bytes=90-1000", .part(90..<100)), ("bytes=100-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999999-", .unsatisfiable),
            ("bytes=0-18446744073709551615", .part(0..<100)), ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole),
            ("items=0-4", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=1-2-3", .whole),
            ("Bytes=0-4", .part(0..<5)),
        ] as [(String, HTTPRange)]
    ) func range(text: String, range: HTTPRange) {
        #expect(HTTPRange(text, size: 100) == range)
    }

    private func choose(_ fields: [HTTPField]) throws -> HTTPContentChoice {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
        let head = try #require(try HTTPRequestParser.parse(Array(text.utf8).span)).head
        return HTTPContentChoice(for: head, size: 100, tag: "\"v7\"", modified: 784_111_777)
    }

    @Test func copiesThatAreStillGood() throws {
        #expect(try choose([.init("If-None-Match", "\"v6\", W/\"v7\"")]) == .notModified)
        #expect(try choose([.init("If-None-Match", "*")]) == .notModified)
        #expect(try choose([.init("If-None-Match", "\"v6\"")]) == .whole)
        #expect(try choose([.init("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")]) == .notModified)
        #expect(try choose([.init("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")]) == .whole)
        #expect(try choose([.init("If-Match", "\"v6\"")]) == .preconditionFailed)
    }

    @Test func resumesOnlyTheSameContent() throws {
        #expect(try choose([.init("Range", "bytes=50-"), .init("If-Range", "\"v7\"")]) == .part(50..<100))
        #expect(try choose([.init("Range", "bytes=50-"), .init("If-Range", "\"v6\"")]) == .whole)
        #expect(try choose([.init("Range", "bytes=50-"), .init("If-Range", "W/\"v7\"")]) == .whole)
        #expect(
            try choose([.init("Range", "bytes=50-"), .init("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT")])
                == .part(50..<100)
        )
    }

    @Test(arguments: [0, 784_111_777, 951_782_400, 4_102_444_799, -1]) func datesRoundTrip(seconds: Int) {
        #expect(HTTPDate(HTTPDate(seconds: seconds).description)?.seconds == seconds)
    }

    @Test func aDateCanAlwaysBeWrittenAgain() throws {
        #expect(HTTPDate("Fri, 31 Dec 9999 23:59:60 GMT") == nil)
        let last = try #require(HTTPDate("Thu, 31 Dec 9998 23:59:60 GMT"))
        #expect(HTTPDate(last.description) != nil || last.description.contains(" 9999 "))
    }

    @Test func dateAsInTheRFC() {
        #expect(HTTPDate(seconds: 784_111_777).description == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
