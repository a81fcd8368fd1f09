import NetworkTypes
import Testing

/// tftp-hpa's client and curl against `diskless serve tftp`.
@Suite(.boundedWait) struct TFTPClientTests {
    private static let sizes = [1, 511, 512, 513, 1024, 65535 * 2 + 7]

    @Test(.enabled(if: NBDClientProgram.isThere("tftp"), "tftp is missing (tftp-hpa)"))
    func tftpHPAGetsEverySize() throws {
        let server = try ServedDirectory("tftp")
        for size in [0] + Self.sizes {
            let content = try server.put("file\(size)", size: size)
            let path = server.files.path("fetched")
            let outcome = try server.run(
                "tftp",
                "-m",
                "binary",
                "127.0.0.1",
                "\(server.port)",
                "-c",
                "get",
                "file\(size)",
                path
            )
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(server.fetched() == content)
        }
    }

    /// 65535 blocks of 512 bytes and one more: the block number starts again at 0.
    @Test(.enabled(if: NBDClientProgram.isThere("tftp"), "tftp is missing (tftp-hpa)"))
    func tftpHPAPassesTheLastBlockNumber() throws {
        let server = try ServedDirectory("tftp")
        let content = try server.put("large", size: 65535 * 512 + 1000)
        let path = server.files.path("fetched")
        let outcome = try server.run("tftp", "-m", "binary", "127.0.0.1", "\(server.port)", "-c", "get", "large", path)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(server.fetched() == content)
    }

    @Test(.enabled(if: NBDClientProgram.isThere("tftp"), "tftp is missing (tftp-hpa)"))
    func tftpHPAGetsAWholeFileWhenTenPercentIsLost() throws {
        let server = try ServedDirectory("tftp")
        let content = try server.put("file", size: 20_000)
        let relay = try LossyRelay(to: Endpoint(.loopback, server.port))
        let path = server.files.path("fetched")
        let outcome = try server.run("tftp", "-m", "binary", "127.0.0.1", "\(relay.port)", "-c", "get", "file", path)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(server.fetched() == content)
    }

    /// netascii; a port of the client's own choice; the least and the most talkative forms.
    @Test(
        .enabled(if: NBDClientProgram.isThere("tftp"), "tftp is missing (tftp-hpa)"),
        arguments: [["-m", "netascii"], ["-m", "octet", "-R", "40000:40100"], ["-v", "-m", "binary"], ["-4", "-l"]]
    ) func tftpHPAWithEveryOption(options: [String]) throws {
        let server = try ServedDirectory("tftp")
        let content = try server.put("file", size: 100_000)
        let path = server.files.path("fetched")
        let outcome = try NBDClientProgram.run(
            ["tftp"] + options + ["127.0.0.1", "\(server.port)", "-c", "get", "file", path],
            in: server.files
        )
        #expect(outcome.status == 0, "\(outcome.output)")
        // Text comes back as it was: the client undoes what netascii does to line ends.
        #expect(server.fetched() == content)
    }

    /// With options curl wants six seconds of patience (RFC 2349) for each packet that is lost, so the file is small.
    @Test(
        .enabled(if: NBDClientProgram.isThere("curl"), "curl is missing (curl)"),
        arguments: [["--tftp-no-options"], ["--tftp-blksize", "512"], ["--tftp-blksize", "1468"]]
    ) func curlGetsAWholeFileWhenTenPercentIsLost(options: [String]) throws {
        let server = try ServedDirectory("tftp")
        let content = try server.put("file", size: 6_000)
        let relay = try LossyRelay(to: Endpoint(.loopback, server.port))
        let outcome = try NBDClientProgram.run(
            ["curl", "-sS"] + options + ["-o", server.files.path("fetched"), "tftp://127.0.0.1:\(relay.port)/file"],
            in: server.files
        )
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(server.fetched() == content)
    }

    @Test(.enabled(if: NBDClientProgram.isThere("tftp"), "tftp is missing (tftp-hpa)"))
    func tftpHPAHearsWhyItIsRefused() throws {
        let server = try ServedDirectory("tftp")
        let outcome = try server.run(
            "tftp",
            "127.0.0.1",
            "\(server.port)",
            "-c",
            "get",
            "../../etc/shadow",
            server.files.path("fetched")
        )
        #expect(outcome.output.contains("'..' in a file name is refused"), "\(outcome.output)")
        #expect(server.fetched().isEmpty)
        #expect(server.messages.contains("'../../etc/shadow' refused"))
    }

    @Test(
        .enabled(if: NBDClientProgram.isThere("curl"), "curl is missing (curl)"),
        arguments: [8, 512, 1024, 1468, 65464]
    ) func curlChoosesTheBlockSize(block: Int) throws {
        let server = try ServedDirectory("tftp")
        for size in Self.sizes where size / block < 65535 {
            let content = try server.put("file\(size)", size: size)
            let outcome = try server.run(
                "curl",
                "-sS",
                "--tftp-blksize",
                "\(block)",
                "-o",
                server.files.path("fetched"),
                "tftp://127.0.0.1:\(server.port)/file\(size)"
            )
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(server.fetched() == content)
        }
    }

    @Test(.enabled(if: NBDClientProgram.isThere("curl"), "curl is missing (curl)"))
    func curlWithoutOptions() throws {
        let server = try ServedDirectory("tftp")
        let content = try server.put("file", size: 5000)
        let url = "tftp://127.0.0.1:\(server.port)/file"
        let outcome = try server.run("curl", "-sS", "--tftp-no-options", "-o", server.files.path("fetched"), url)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(server.fetched() == content)
    }
}
