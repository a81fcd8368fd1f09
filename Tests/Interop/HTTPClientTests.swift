import Testing

/// curl against `diskless serve http`.
@Suite(
    .boundedWait,
    .enabled(if: NBDClientProgram.isThere("curl"), "curl is missing (curl)")
) struct HTTPClientTests {
    private let server: ServedDirectory
    private let content: [UInt8]

    init() throws {
        server = try ServedDirectory("http")
        content = try server.put("kernel", size: 3_000_001)
    }

    private func curl(_ arguments: [String], _ path: String = "/kernel") throws -> NBDClientProgram.Outcome {
        try NBDClientProgram.run(
            ["curl", "-sS", "--path-as-is"] + arguments + ["http://127.0.0.1:\(server.port)\(path)"],
            in: server.files
        )
    }

    @Test func fetchesAFileAgainAndAgainOverOneConnection() throws {
        let path = server.files.path("fetched")
        let url = "http://127.0.0.1:\(server.port)/kernel"
        let outcome = try server.run("curl", "-sSv", "-o", path, url, "-o", path, url)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output.contains("Re-using existing connection"))
        #expect(server.fetched() == content)
    }

    @Test(arguments: [
        ("0-0", 0..<1), ("5-99", 5..<100), ("3000000-", 3_000_000..<3_000_001), ("-7", 2_999_994..<3_000_001),
    ])
    func ranges(text: String, range: Range<Int>) throws {
        let outcome = try curl(["-r", text, "-o", server.files.path("fetched"), "-w", "%{http_code}"])
        #expect(outcome.output == "206")
        #expect(server.fetched() == Array(content[range]))
    }

    @Test func aRangeBehindTheEnd() throws {
        let outcome = try curl(["-r", "3000001-", "-i", "-o", "-"])
        #expect(outcome.output.contains("416 Range Not Satisfiable"))
        #expect(outcome.output.contains("Content-Range: bytes */3000001"))
    }

    @Test func headTellsTheSize() throws {
        let outcome = try curl(["-I"], "/kernel")
        #expect(outcome.output.contains("Content-Length: 3000001"))
        #expect(outcome.output.contains("Accept-Ranges: bytes"))
    }

    @Test func aGoodCopyIsNotSentAgain() throws {
        let tags = server.files.path("tag")
        let path = server.files.path("fetched")
        #expect(try curl(["--etag-save", tags, "-o", path]).status == 0)
        let again = try curl(["--etag-compare", tags, "-o", server.files.path("again"), "-w", "%{http_code}"])
        #expect(again.output == "304")
        let dated = try curl(["-z", path, "-o", server.files.path("again"), "-w", "%{http_code}"])
        #expect(dated.output == "304")
    }

    @Test func resumes() throws {
        let path = server.files.path("fetched")
        #expect(try curl(["-r", "0-999999", "-o", path]).status == 0)
        #expect(try curl(["-C", "-", "-o", path]).status == 0)
        #expect(server.fetched() == content)
    }

    @Test(arguments: ["/../../etc/shadow", "/%2e%2e/%2e%2e/etc/shadow", "/a/../../../etc/shadow"])
    func staysInside(path: String) throws {
        let outcome = try curl(["-w", "%{http_code}"], path)
        #expect(outcome.output == "'..' in a path is refused: name the file from the top\n403")
    }

    @Test func saysWhatIsMissing() throws {
        #expect(try curl([], "/none").output == "no file '/none' here\n")
        #expect(try curl([], "/").output == "'/' is a directory: name a file\n")
        #expect(try curl(["-d", "x"]).output == "only GET and HEAD are answered here\n")
    }
}
