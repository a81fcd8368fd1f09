import CLinux
import Foundation
import NetworkIO
import Testing

/// A node's own trees and volumes, and strangers who ask for them: on the wire, at another address or with another boot's
/// name, and what the node's timeline says of it.
@Suite(.boundedWait, .enabled(if: TestNetwork.isPossible, "needs root and ip"))
struct NFSAccessTests {
    private static let fleet = """
        nodes:
          - {name: megane, mac: ["\(TestNetwork.clientMAC)"], image: debian, volume: 64M,
             root: {via: nbd, writes: keep}, state: [/var/lib/kept]}
        """

    @Test func strangersAreRefusedAndSeen() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let boot = try server.bootNode(Self.fleet)
        let path = "/state/megane/\(boot)"
        let mounted = try server.calls("mount", "10.77.0.2", path)
        #expect(mounted.hasPrefix("0 "), "\(mounted)")
        let handle = String(mounted.dropFirst(2))
        #expect(try server.calls("attributes", "10.77.0.2", handle) == "0")
        #expect(try server.calls("attributes4", "10.77.0.2", handle) == "0")
        #expect(try server.calls("walk4", "10.77.0.2", path) == "0")
        // NOENT, STALE: a stranger is not even told that there is something.
        let other = "00000000000000000000"
        #expect(try server.calls("mount", "10.77.0.3", path) == "2 ")
        #expect(try server.calls("attributes", "10.77.0.3", handle) == "70")
        #expect(try server.calls("attributes4", "10.77.0.3", handle) == "70")
        #expect(try server.calls("walk4", "10.77.0.3", path) == "2")
        #expect(try server.calls("mount", "10.77.0.2", "/state/megane/\(other)") == "2 ")
        // BADHANDLE: nobody makes a handle who has not the key.
        let last = handle.last == "0" ? "1" : "0"
        #expect(try server.calls("attributes", "10.77.0.2", handle.dropLast() + last) == "10001")

        let volume = "nbd://\(ServerProcess.address)/volume/megane/\(boot)"
        let own = try server.client("nbdinfo", "--size", volume)
        #expect(own.output == "\(64 << 20)\n", "\(own.errors)")
        let cookie = try server.client("nbdinfo", "--size", "nbd://\(ServerProcess.address)/volume/megane/\(other)")
        #expect(cookie.status != 0)
        try server.callFrom("10.77.0.3")
        let stranger = try server.client("nbdinfo", "--size", volume)
        #expect(stranger.status != 0)

        let timeline = try server.diskless("boots", "megane", "--json").output
        for text in [
            "\(path) over NFS is not for this boot, or does not exist (asked by ",
            "a file of megane over NFS is not for 10.77.0.3 (asked by ", "is not for 10.77.0.3 (asked by ",
            "/state/megane/\(other) over NFS is not for this boot",
        ] {
            #expect(timeline.contains(text), "\(text) in \(timeline)")
        }
    }

    /// A node that lost its power has its old session when it asks for a larger volume: that one ends first.
    @Test func aVolumeGrowsUnderAnOldSession() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let volume = "nbd://\(ServerProcess.address)/volume/megane/"
        let first = try server.bootNode(Self.fleet)
        let old = try NBDClientProgram.start(
            [
                "ip", "netns", "exec", server.network.client, "qemu-io", "-f", "raw", "-c", "write -P 7 60M 4096",
                "-c", "flush", "-c", "sleep 60000", volume + first,
            ],
            log: server.files.path("old")
        )
        defer { _ = try? server.end(of: (old, server.files.path("old"))) }
        defer { kill(old, SIGKILL) }
        for _ in 0..<2000 where !NBDClientProgram.text(server.files.path("old")).contains("wrote") { usleep(5000) }
        let second = try server.bootNode(Self.fleet.replacing("64M", with: "128M"))
        let read = try server.client("qemu-io", "-f", "raw", "-c", "length", "-c", "write 100M 4096", volume + second)
        #expect(read.output.contains("128 MiB") && read.output.contains("wrote 4096"), "\(read)")
        #expect(server.log.contains("the volume grew to 128 MiB"), "\(server.log)")
    }

    /// A disk that is full says so, and takes writes again when there is room.
    @Test func aFullDiskIsToldAndClears() throws {
        let server = try ServerProcess()
        let folder = server.files.path("small")
        server.preparation = "mkdir -p \(folder); mount -t tmpfs -o size=4m,mode=1777 small \(folder)"
        try server.publish("debian")
        try server.start()
        _ = try server.bootNode(Self.mounting(folder, "rw"))
        let mounted = try server.calls("mount", "10.77.0.2", "/mounts\(folder)")
        let result = try server.calls("fill", "10.77.0.2", String(mounted.dropFirst(2)))
        let lines = result.split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0 == "full 28 after 4 MiB, removed 0" }, "\(result)")
    }

    /// A quota that is used up is told as such, whatever the version, and the export takes writes again when there is room.
    ///
    /// Of btrfs, because every kernel that has it also has its quotas.
    @Test(.enabled(if: NBDClientProgram.isThere("mkfs.btrfs"), "mkfs.btrfs is missing (btrfs-progs)"))
    func aQuotaIsToldAndClears() throws {
        let server = try ServerProcess()
        let folder = server.files.path("limited")
        server.preparation = """
            set -e; mkdir \(folder); truncate -s 256M \(folder).disk; mkfs.btrfs -q \(folder).disk
            mount -o loop \(folder).disk \(folder); btrfs quota enable \(folder); btrfs subvolume create \(folder)/own
            btrfs qgroup limit 8M \(folder)/own; chmod 1777 \(folder)/own
            """
        try server.publish("debian")
        try server.start()
        // Commands beside it have mounts of their own.
        server.preparation = ":"
        _ = try server.bootNode(Self.mounting("\(folder)/own", "rw"))
        let mounted = try server.calls("mount", "10.77.0.2", "/mounts\(folder)/own")
        let handle = String(mounted.dropFirst(2))
        for version in [[], ["4"]] {
            let result = try server.calls("fill", "10.77.0.2", [handle] + version)
            let lines = result.split(separator: "\n")
            // NFS3ERR_DQUOT and NFS4ERR_DQUOT have one number.
            #expect(lines.count == 2, "\(result)")
            for line in lines { #expect(line.wholeMatch(of: /full 69 after [78] MiB, removed 0/) != nil, "\(line)") }
        }
        #expect(try server.calls("attributes", "10.77.0.2", handle) == "0")
    }

    static func mounting(_ folder: String, _ mode: String) -> String {
        """
        nodes:
          - {name: megane, mac: ["\(TestNetwork.clientMAC)"], image: debian, mounts: [{nfs: \(folder), at: /mnt, mode: \(mode)}]}
        """
    }
}

/// Clients of NFS that mean no good, while a well-behaved one reads all the time.
@Suite(.timeLimit(.minutes(30)), .enabled(if: TestNetwork.isPossible, "needs root and ip"))
struct NFSHostileClientTests {
    /// `DISKLESS_HOSTILE_CALLS` makes it longer; a million take minutes.
    private static let calls = Int(ProcessInfo.processInfo.environment["DISKLESS_HOSTILE_CALLS"] ?? "") ?? 40_000

    @Test func oneClientIsServedWhileOthersMisbehave() throws {
        let server = try ServerProcess()
        let folder = server.files.path("pattern")
        _ = unsafe mkdir(folder, 0o755)
        var bytes: [UInt8] = []
        for offset in stride(from: UInt64(0), to: 2 << 20, by: 8) {
            unsafe withUnsafeBytes(of: offset.bigEndian) { unsafe bytes.append(contentsOf: $0) }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/file"))
        try server.publish("debian")
        try server.start()
        _ = try server.bootNode(NFSAccessTests.mounting(folder, "ro"))
        let root = String(try server.calls("mount", "10.77.0.2", "/mounts\(folder)").dropFirst(2))
        let file = String(try server.calls("lookup", "10.77.0.2", root, "file").dropFirst(2))
        // What its caches and threads take is there before memory is compared.
        _ = try server.calls("mutate", "10.77.0.2", file, "4000", "1")
        let before = try server.memory("Pss_Anon")

        let seconds = 35 + Self.calls / 2000
        let good = try server.startCalls("check", "10.77.0.2", file, "\(seconds)")
        let deaf = try server.startCalls("deaf", "10.77.0.2", file)
        let silent = try server.startCalls("silent", "10.77.0.3", "10000", "30")
        var mutated: [String] = []
        for seed in 2...5 {
            mutated.append(try server.calls("mutate", "10.77.0.2", root, "\(Self.calls / 8)", "\(seed)", limit: 1200))
            mutated.append(
                try server.calls("mutate", "10.77.0.2", file, "\(Self.calls / 8)", "\(seed * 10)", limit: 1200)
            )
        }
        #expect(mutated.allSatisfy { $0.hasPrefix("sent ") }, "\(mutated)")
        let ends = try (deaf: server.end(of: deaf), silent: server.end(of: silent), good: server.end(of: good))
        #expect(ends.deaf.status == 0 && ends.deaf.output.hasPrefix("cut after"), "\(ends.deaf)")
        #expect(ends.silent.output.hasPrefix("open 10000"), "\(ends.silent)")
        #expect(ends.good.status == 0 && ends.good.output.contains("wrong 0"), "\(ends.good)")
        #expect(server.isAlive)
        let after = try server.memory("Pss_Anon")
        #expect(after - before < 16 << 10, "from \(before) to \(after) KiB")
        // Each address is named once, whatever it does.
        let log = server.log.split(separator: "\n")
        #expect((1...2).contains(log.count { $0.contains("NFS client dropped") }))
        let told = log.filter { $0.contains("NFS") }
        // Of what a node asks in vain eight things a minute are told, whatever names it makes up.
        #expect(told.count < 20 + seconds / 60 * 8, "\(told.joined(separator: "\n"))")
        #expect(try server.calls("attributes", "10.77.0.2", file) == "0")
    }
}

extension ServerProcess {
    /// Applies a fleet and fetches the script of its one node as that machine; gives the boot's name.
    func bootNode(_ fleet: String) throws -> String {
        let file = files.path("fleet.yaml")
        try fleet.write(toFile: file, atomically: false, encoding: .utf8)
        let applied = try diskless("apply", file)
        try #require(applied.status == 0, "\(applied.errors)")
        let mac = TestNetwork.clientMAC.replacing(":", with: "-")
        let script = try client("curl", "-sS", "http://\(Self.address):8067/boot/\(mac)/script.ipxe").output
        let report = try #require(
            script.firstMatch(of: /diskless.report=http:\/\/[0-9.:]+\/boot\/[0-9a-f-]+\/(\w+)/),
            "\(script)"
        )
        return String(report.1)
    }

    private static var callsProgram: String { clientProgram("nfs-calls.py") }

    /// Where a client of these tests' own lies.
    static func clientProgram(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/Clients/\(name)"
    }

    /// Runs a client of `Tests/Clients/nfs-calls.py` from one of the other computer's addresses; its output.
    func calls(_ what: String, _ from: String, _ rest: String..., limit: Int = 60) throws -> String {
        try calls(what, from, rest, limit: limit)
    }

    func calls(_ what: String, _ from: String, _ rest: [String], limit: Int = 60) throws -> String {
        let words = ["python3", Self.callsProgram, what, "\(Self.address)", from] + rest
        let result = try run(words, in: network.client, limit: limit)
        try #require(result.status == 0, "\(words): \(result.errors)")
        return result.output.trimmingCharacters(in: .newlines)
    }

    /// As `calls`, beside what else happens; `end(of:)` waits for it.
    func startCalls(_ what: String, _ from: String, _ rest: String...) throws -> (process: pid_t, output: String) {
        let output = files.path("calls-\(what)")
        let process = try NBDClientProgram.start(
            ["ip", "netns", "exec", network.client, "python3", Self.callsProgram, what, "\(Self.address)", from] + rest,
            log: output
        )
        return (process, output)
    }

    func end(of client: (process: pid_t, output: String)) throws -> (status: CInt, output: String) {
        var status: CInt = 0
        unsafe waitpid(client.process, &status, 0)
        let code = clinux_exited(status) != 0 ? clinux_exit_status(status) : -1
        return (code, NBDClientProgram.text(client.output))
    }

    /// Makes programs of the other computer call from one of its addresses.
    func callFrom(_ address: String) throws {
        let words = ["ip", "route", "change", "10.77.0.0/24", "dev", TestNetwork.interface, "src", address]
        try #require(try run(words, in: network.client).status == 0)
    }
}
