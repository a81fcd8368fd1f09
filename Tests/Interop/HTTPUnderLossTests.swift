import CLinux
import Testing

/// curl against `diskless serve http` over a wire that loses every tenth packet of each direction, by chance.
@Suite(
    .boundedWait,
    .enabled(if: TestNetwork.isPossible, "needs root and ip"),
    .enabled(if: NBDClientProgram.isThere("curl"), "curl is missing (curl)"),
    .enabled(if: NBDClientProgram.isThere("nft"), "nft is missing (nftables)")
) struct HTTPUnderLossTests {
    private let network: TestNetwork
    private let server: ServedDirectory
    private let content: [UInt8]
    private let nft: String

    /// Drops a tenth of what arrives from the wire, whole frames only after the kernel's joining of segments is off.
    private static let rules = """
        table ip loss {
            counter lost {}
            chain arriving {
                type filter hook input priority 0; policy accept;
                iifname "\(TestNetwork.interface)" numgen random mod 10 < 1 counter name lost drop
            }
        }
        """

    init() throws {
        network = try TestNetwork()
        server = try ServedDirectory("http", on: "10.77.0.1", in: network.server)
        content = try server.put("kernel", size: 1_000_001)
        nft = try #require(NBDClientProgram.place(of: "nft"))
        let rules = server.files.path("loss.nft")
        try Self.write(Self.rules, to: rules)
        for namespace in [network.server, network.client] {
            // Else one loss takes 64 KiB with it, as no real wire does.
            try run(in: namespace, "ip", "link", "set", TestNetwork.interface, "gso_max_segs", "1")
            try run(in: namespace, nft, "-f", rules)
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @discardableResult
    private func run(in namespace: String, _ command: String...) throws -> String {
        let outcome = try NBDClientProgram.run(["ip", "netns", "exec", namespace] + command, in: server.files)
        try #require(outcome.status == 0, "\(command): \(outcome.output)")
        return outcome.output
    }

    private func curl(_ arguments: String...) throws -> String {
        let url = "http://10.77.0.1:\(server.port)/kernel"
        let outcome = try NBDClientProgram.run(
            ["ip", "netns", "exec", network.client, "curl", "-sS", "--max-time", "100"] + arguments + [url],
            in: server.files
        )
        #expect(outcome.status == 0, "\(arguments): \(outcome.output)")
        return outcome.output
    }

    /// How many packets a namespace has thrown away.
    private func lost(in namespace: String) throws -> Int {
        let words = try run(in: namespace, nft, "list", "counter", "ip", "loss", "lost").split(
            whereSeparator: \.isWhitespace
        )
        let at = try #require(words.firstIndex(of: "packets"))
        return try #require(Int(words[at + 1]))
    }

    @Test func filesRangesAndHeadsArriveWhole() throws {
        let path = server.files.path("fetched")
        let tags = server.files.path("tag")
        _ = try curl("-o", path, "--etag-save", tags)
        #expect(server.fetched() == content)
        #expect(try curl("-o", path, "--etag-compare", tags, "-w", "%{http_code}") == "304")
        for range in [0..<1, 5..<70_000, 990_000..<1_000_001] {
            let code = try curl("-o", path, "-w", "%{http_code}", "-r", "\(range.lowerBound)-\(range.upperBound - 1)")
            #expect(code == "206")
            #expect(server.fetched() == Array(content[range]))
        }
        #expect(try curl("-I").contains("Content-Length: 1000001\r\n"))
        // Each direction must have lost something, or this test shows nothing.
        #expect(try lost(in: network.client) > 10)
        #expect(try lost(in: network.server) > 0)
        #expect(!server.messages.contains("cut off"), "\(server.messages)")
    }
}
