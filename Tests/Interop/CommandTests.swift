import CLinux
import Foundation
import NetworkIO
import NetworkTypes
import Testing

/// What commands say and how they end, beside a server and without one.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct CommandTests {
    private static let mac = TestNetwork.clientMAC

    /// `serve` itself has options of the same names: those after the subcommand are the subcommand's.
    @Test func nfsAloneTakesItsOwnOptions() throws {
        let server = try ServerProcess()
        let (tree, state) = (server.files.path("tree"), server.files.path("nfs-state"))
        let serve = [BuiltProgram.path, "serve", "nfs", tree, "--listen", "\(ServerProcess.address):2049", "--portmap"]
        let log = server.files.path("nfs-log")
        let process = try NBDClientProgram.start(
            ["ip", "netns", "exec", server.network.server, "sh", "-c", "mkdir \(tree); exec \"$@\"", "sh"] + serve
                + ["--state", state],
            log: log
        )
        defer {
            kill(process, SIGKILL)
            var status: CInt = 0
            unsafe waitpid(process, &status, 0)
        }
        try server.wait("it does not start: \(NBDClientProgram.text(log))") {
            NBDClientProgram.text(log).contains("serving \(tree)")
        }
        for name in ["nfs-handles.key", "nfs-clients", "nfs-replies"] {
            #expect(FileManager.default.fileExists(atPath: "\(state)/\(name)"), "\(name)")
        }
        try TestNetwork.socket(in: server.network.client) {
            _ = try StreamSocket(connectingTo: Endpoint(ServerProcess.address, 111))
        }
    }

    @Test func readingCommandsPrintJSON() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        #expect(try server.diskless("node", "add", "megane", "--mac", Self.mac).status == 0)
        _ = try server.client("curl", "-sS", Self.script(Self.mac))
        for command in [
            ["status"], ["node", "list"], ["node", "show", "megane"], ["leases"], ["boots"], ["boots", "megane"],
            ["explain", Self.mac], ["image", "list"], ["image", "show", "debian"], ["image", "check"],
        ] {
            let result = try server.run([BuiltProgram.path] + command + ["--json", "--state", server.state])
            #expect(result.status == 0, "\(command): \(result.errors)")
            #expect(throws: Never.self, "\(command): \(result.output)") {
                try JSONSerialization.jsonObject(with: Data(result.output.utf8))
            }
            #expect(result.errors.isEmpty, "\(command): \(result.errors)")
        }
    }

    @Test(arguments: [
        ["nonsense"], ["node", "nonsense"], ["serve", "--nonsense"], ["serve", "--dhcp", "maybe"], ["serve", "nbd"],
        ["explain", "nonsense"], ["boots", "-n", "0"], ["image", "rm", "debian"], ["node", "add"],
        ["try", "--memory", "1"],
    ])
    func wrongUsage(words: [String]) throws {
        let files = try TemporaryFiles()
        let outcome = try NBDClientProgram.run([BuiltProgram.path] + words, in: files)
        #expect(outcome.status == 2, "\(words): \(outcome.output)")
        #expect(outcome.output.hasPrefix("Error: "), "\(outcome.output)")
    }

    @Test(arguments: [
        ["status"], ["boots"], ["watch"], ["leases"], ["node", "list"], ["explain", Self.mac], ["export"],
    ])
    func withoutAServer(words: [String]) throws {
        let files = try TemporaryFiles()
        let outcome = try NBDClientProgram.run([BuiltProgram.path] + words + ["--state", files.directory], in: files)
        #expect(outcome.status == 1)
        #expect(outcome.output.split(separator: "\n").count == 1)
        for part in ["\(files.directory)/admin.sock", "diskless serve", "--state"] {
            #expect(outcome.output.contains(part), "\(outcome.output)")
        }
    }

    @Test func aReaderThatLeavesIsNoError() throws {
        let server = try ServerProcess()
        try server.start()
        for _ in 0..<20 { _ = try server.client("curl", "-sS", Self.script(Self.mac)) }
        for words in ["boots", "export", "boots --json", "image list"] {
            let command = "\(BuiltProgram.path) \(words) --state \(server.state) | head -n 1"
            let result = try server.run(["bash", "-c", command])
            #expect(result.status == 0)
            #expect(result.errors.isEmpty, "\(words): \(result.errors)")
        }
    }

    @Test func aWrongFleetFileChangesNothing() throws {
        let server = try ServerProcess()
        try server.start()
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write("nodes:\n  - {name: megane, mac: \"\(Self.mac)\"}\n", file)
        #expect(try server.diskless("apply", file).status == 0)
        let before = try server.diskless("export").output
        try MadeUpImage.write(
            """
            networks:
              - name: lab
                subnett: 10.9.0.0/24
                dhcp: fulll
            nodes:
              - name: renault
                mac: [52:54:00:12:34]

            """,
            file
        )
        let result = try server.diskless("apply", file)
        #expect(result.status == 1)
        for line in [
            "\(file):3:5: unknown key \"subnett\" of a network; did you mean \"subnet\"?",
            "\(file):4:11: dhcp \"fulll\" is not one of full, proxy, off; did you mean \"full\"?",
            "\(file):7:11: mac \"52:54:00:12:34\" is not a MAC address", "nothing was applied",
        ] { #expect(result.errors.contains(line), "\(result.errors)") }
        #expect(try server.diskless("export").output == before)
        #expect(try server.diskless("apply", file + "-none").errors.contains("\(file)-none: No such file"))
    }

    @Test func aNodeWithAnUnknownImageIsToldWhy() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write("nodes:\n  - {name: megane, mac: \"\(Self.mac)\", image: debain}\n", file)
        #expect(try server.diskless("apply", file).status == 0)
        let reason = "image debain (node) does not exist: see 'diskless image list'"
        let script = try server.client("curl", "-sS", Self.script(Self.mac)).output
        #expect(script.hasPrefix("#!ipxe\n"))
        #expect(script.contains("echo diskless: \(reason)"))
        #expect(script.contains("reboot"), "it tries again")
        #expect(try server.diskless("boots", "--json").output.contains("\"failure\" : \"\(reason)\""))
        let explained = try server.diskless("explain", Self.mac)
        #expect(explained.status == 1)
        #expect(explained.output.contains("gets nothing: \(reason)"))
        #expect(server.log.contains("refused: \(reason)"))
    }

    @Test func unknownImages() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        for words in [
            ["image", "show", "debain"], ["image", "check", "debain"], ["image", "rm", "debain@1"], ["try", "debain"],
            ["image", "list", "debain"],
        ] {
            let result = try server.run([BuiltProgram.path] + words + ["--state", server.state])
            #expect(result.status == 1, "\(words)")
            #expect(result.errorLines.count == 1, "\(words): \(result.errors)")
            #expect(result.errors.contains("there is no image \"debain\""), "\(words): \(result.errors)")
        }
        let version = try server.diskless("image", "show", "debian@7")
        #expect(version.status == 1)
        #expect(version.errors.contains("debian@7"))
    }

    /// Also when nobody knows the machine's hardware address, as that of one behind a router or of this computer itself.
    @Test(arguments: [true, false])
    func aVersionThatANodeRunsIsKept(isKnown: Bool) throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        if isKnown { _ = try server.client("curl", "-sS", Self.script("52:54:00:77:00:01")) }
        // Client flags, then NBD_OPT_GO of "debian@1": a root that is connected.
        let holder = try TestNetwork.socket(in: isKnown ? server.network.client : server.network.server) {
            let stream = try StreamSocket(connectingTo: Endpoint(ServerProcess.address, 10809))
            let option = Array("IHAVEOPT".utf8) + [0, 0, 0, 7, 0, 0, 0, 14, 0, 0, 0, 8]
            try stream.send([0, 0, 0, 3] + option + Array("debian@1".utf8) + [0, 0])
            return stream
        }
        try server.wait("the client is not counted") {
            try server.diskless("status", "--json").output.contains("\"image\" : \"debian@1\"")
        }
        let refused = try server.diskless("image", "rm", "debian@1")
        #expect(refused.status == 1)
        #expect(refused.errorLines.count == 1)
        #expect(refused.errors.contains("debian@1"))
        #expect(try server.diskless("image", "check", "debian@1").status == 0, "it is whole")
        #expect(try server.diskless("image", "rm", "debian@1", "--force").status == 0)
        withExtendedLifetime(holder) {}
        #expect(try server.diskless("image", "show", "debian@1").status == 1)
    }

    private static func script(_ mac: String) -> String {
        "http://\(ServerProcess.address):8067/boot/\(mac.replacingOccurrences(of: ":", with: "-"))/script.ipxe"
    }
}
