import BootModel
import CLinux
import Foundation
import Testing

/// What the server takes of the computer it runs on.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct FootprintTests {
    /// 40 MB, as the kernel counts resident pages, shared libraries included.
    private static let limit = 40_000_000 / 1024

    @Test func idleMemory() throws {
        let server = try ServerProcess()
        try server.publish("debian", rootSize: 8 << 20)
        try server.start()
        let idle = try server.memory()
        #expect(idle < Self.limit, "\(idle) KiB at the start")
        let address = "\(ServerProcess.address)"
        let target = server.files.path("fetched")
        for _ in 0..<100 {
            _ = try server.client("tftp", "-m", "binary", address, "-c", "get", "undionly.kpxe", target)
            _ = try server.client("curl", "-sS", "-o", target, "http://\(address):8067/images/debian/1/root.squashfs")
            _ = try server.client("nbdinfo", "--size", "nbd://\(address)/debian@1")
        }
        _ = try server.client("nbdcopy", "nbd://\(address)/debian@1", target)
        let used = try server.memory()
        #expect(used < Self.limit, "\(used) KiB after 300 requests")
        print("memory of the server: \(idle) KiB at the start, \(used) KiB after 300 requests")
    }

    /// How long the load lasts, in seconds: `DISKLESS_LOAD_SECONDS=600` also shows that memory stays flat.
    private static let load = Int(ProcessInfo.processInfo.environment["DISKLESS_LOAD_SECONDS"] ?? "") ?? 8

    /// 64 MB with 24 clients of NBD, 25 of NFS, 12 of HTTP, 4 of TFTP and 100 of DHCP that all want something at the same time.
    @Test(.enabled(if: ["fio", "perfdhcp"].allSatisfy(NBDClientProgram.isThere), "needs fio and perfdhcp"))
    func memoryWithBusyClients() throws {
        let server = try ServerProcess()
        try server.publish("debian", rootSize: 16 << 20)
        let folder = server.files.path("tree")
        server.preparation = "mkdir -p \(folder); chmod 1777 \(folder); head -c 4000000 /dev/urandom >\(folder)/file"
        try server.start()
        server.preparation = ":"
        _ = try server.bootNode(NFSAccessTests.mounting(folder, "rw"))
        let root = String(try server.calls("mount", "10.77.0.2", "/mounts\(folder)").dropFirst(2))
        let file = String(try server.calls("lookup", "10.77.0.2", root, "file").dropFirst(2))
        let address = "\(ServerProcess.address)"
        func begin(_ name: String, _ command: [String]) throws -> (process: pid_t, output: String) {
            let log = server.files.path(name)
            return (
                try NBDClientProgram.start(["ip", "netns", "exec", server.network.client] + command, log: log), log
            )
        }
        let seconds = Self.load
        var clients = [
            try server.startCalls("busy", "10.77.0.2", file, "24", "\(seconds)"),
            try server.startCalls("change", "10.77.0.2", root, "\(seconds)"),
        ]
        clients.append(
            try begin(
                "fio",
                [
                    "fio", "--ioengine=nbd", "--uri=nbd://\(address)/debian@1", "--rw=randread", "--bs=64k",
                    "--iodepth=8",
                    "--size=16M", "--numjobs=24", "--time_based", "--runtime=\(seconds)", "--name=busy",
                ]
            )
        )
        clients.append(
            try begin(
                "curl",
                [
                    "timeout", "\(seconds)", "curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max",
                    "12", "-o", "/dev/null",
                    "http://\(address):8067/images/debian/1/root.squashfs?[1-\(seconds * 250)]",
                ]
            )
        )
        for number in 1...4 {
            let loop =
                "end=$(($(date +%s) + \(seconds))); while [ $(date +%s) -lt $end ]; do tftp -m binary \(address) -c get undionly.kpxe /dev/null; done"
            clients.append(try begin("tftp-\(number)", ["sh", "-c", loop]))
        }
        let asking = [
            NBDClientProgram.place(of: "perfdhcp") ?? "perfdhcp", "-4", "-l", TestNetwork.interface, "-r", "50", "-R",
            "100", "-p", "\(seconds)", address,
        ]
        clients.append(try begin("perfdhcp", asking))
        let begun = ContinuousClock.now
        var (most, samples) = (0, [Int]())
        while ContinuousClock.now - begun < .seconds(seconds - 1) {
            let memory = try server.memory()
            most = max(most, memory)
            if ContinuousClock.now - begun >= .seconds(30 * samples.count) { samples.append(memory) }
            usleep(200_000)
        }
        let ends = try clients.map { try server.end(of: $0) }
        #expect(ends[0].status == 0 && ends[0].output.hasPrefix("calls "), "\(ends[0])")
        #expect(ends[1].status == 0 && ends[1].output.hasSuffix("wrong 0\n"), "\(ends[1])")
        #expect(ends[2].status == 0, "\(ends[2].output.suffix(500))")
        #expect(ends.last?.output.contains(/received packets: [1-9]/) == true, "\(ends.last?.output ?? "")")
        #expect(most < 64_000_000 / 1024, "\(most) KiB")
        // The first minute is when buffers and caches get their size.
        if samples.count > 4 { #expect(samples[samples.count - 1] - samples[2] < 4096, "\(samples)") }
        print("memory of the server with 64 busy clients: \(most) KiB; NFS \(ends[0].output) \(ends[1].output)")
        print("each half minute: \(samples)")
    }

    /// 150 MB with 500 nodes, each with an address, a boot, a disk to write on and a tree of its own account, all connected.
    @Test func memoryWithFiveHundredNodes() throws {
        let server = try ServerProcess()
        try server.publish("debian", rootSize: 8 << 20, rootFormat: .ext4)
        let folder = server.files.path("home")
        try #require(unsafe mkdir(folder, 0o700) == 0 && chmod(folder, 0o1777) == 0)
        try server.start()
        func digits(_ number: Int) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
        let nodes = (0..<500).map { number in
            "  - {name: n\(number), mac: \"52:54:02:00:\(digits(number >> 8)):\(digits(number & 255))\", "
                + "address: 10.78.\((number + 256) >> 8).\(number & 255), profiles: [all]}\n"
        }
        let fleet = """
            networks:
              - {name: near, interface: \(TestNetwork.interface), subnet: 10.77.0.0/24, dhcp: full}
              - {name: hall, subnet: 10.78.0.0/16, dhcp: full, relays: [10.78.0.1]}
            profiles:
              - {name: all, image: debian, root: {via: nbd, writes: cow}, mounts: [{nfs: \(folder), at: /home, mode: rw}]}
            nodes:
            \(nodes.joined())
            """
        try MadeUpImage.write(fleet, server.files.path("fleet.yaml"))
        let applied = try server.diskless("apply", server.files.path("fleet.yaml"))
        try #require(applied.status == 0, "\(applied.errors)")
        // All of the nodes' addresses are the other computer's.
        try TestNetwork.ip("-n \(server.network.client) route add local 10.78.0.0/16 dev lo")
        try TestNetwork.ip("-n \(server.network.server) route add 10.78.0.0/16 via 10.77.0.2")
        let before = try server.memory()
        let log = server.files.path("crowd")
        let words = [
            "python3", ServerProcess.clientProgram("crowd.py"), "\(ServerProcess.address)", "500", "/mounts\(folder)",
            "4",
        ]
        let crowd = (try NBDClientProgram.start(["ip", "netns", "exec", server.network.client] + words, log: log), log)
        var most = 0
        while !NBDClientProgram.text(log).contains("ready"), server.isAlive, waitpid(crowd.0, nil, WNOHANG) == 0 {
            most = max(most, try server.memory())
            usleep(50_000)
        }
        for _ in 0..<15 {
            most = max(most, try server.memory())
            usleep(200_000)
        }
        let end = try server.end(of: crowd)
        #expect(end.status == 0 && end.output.contains("nodes 500 rounds "), "\(end) \(server.log.suffix(2000))")
        #expect(most < 150_000_000 / 1024, "\(most) KiB")
        print("memory of the server with 500 connected nodes: \(before) KiB before, at most \(most) KiB; \(end.output)")
    }

    /// A file system that is nearly full, mounted for the command alone.
    @Test func aBuildWithoutRoomSaysSoAndLeavesNothing() throws {
        let server = try ServerProcess()
        let state = server.state
        server.preparation = "mount -t tmpfs -o size=8m none \(state)"
        let script =
            "\"$0\" image build debian --root-password x --state \(state); e=$?; find \(state) -type f -size +0; exit $e"
        let result = try server.run(["sh", "-c", script, BuiltProgram.path], limit: 120)
        #expect(result.status == 1)
        let line = result.errorLines.first { $0.hasPrefix("Error: ") } ?? ""
        #expect(line.contains("the file system at \(state) has too little room: "), "\(result.errors)")
        #expect(line.contains("the build needs about 1.0 GiB"), "\(result.errors)")
        #expect(result.output.isEmpty, "left behind: \(result.output)")
    }
}
