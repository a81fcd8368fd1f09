import CLinux
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

    /// 64 MB with 24 clients of NBD, 24 of NFS, 12 of HTTP and 4 of TFTP that all want something at the same time.
    @Test(.enabled(if: NBDClientProgram.isThere("fio"), "fio is missing (fio)"))
    func memoryWithBusyClients() throws {
        let server = try ServerProcess()
        try server.publish("debian", rootSize: 16 << 20)
        let folder = server.files.path("tree")
        server.preparation = "mkdir -p \(folder); head -c 4000000 /dev/urandom >\(folder)/file"
        try server.start()
        _ = try server.bootNode(NFSAccessTests.mounting(folder, "ro"))
        let root = String(try server.calls("mount", "10.77.0.2", "/mounts\(folder)").dropFirst(2))
        let file = String(try server.calls("lookup", "10.77.0.2", root, "file").dropFirst(2))
        let address = "\(ServerProcess.address)"
        func begin(_ name: String, _ command: [String]) throws -> (process: pid_t, output: String) {
            let log = server.files.path(name)
            return (
                try NBDClientProgram.start(["ip", "netns", "exec", server.network.client] + command, log: log), log
            )
        }
        var clients = [try server.startCalls("busy", "10.77.0.2", file, "24", "8")]
        clients.append(
            try begin(
                "fio",
                [
                    "fio", "--ioengine=nbd", "--uri=nbd://\(address)/debian@1", "--rw=randread", "--bs=64k",
                    "--iodepth=8",
                    "--size=16M", "--numjobs=24", "--time_based", "--runtime=8", "--name=busy",
                ]
            )
        )
        clients.append(
            try begin(
                "curl",
                [
                    "curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max", "12", "-o", "/dev/null",
                    "--max-time", "8", "http://\(address):8067/images/debian/1/root.squashfs?[1-2000]",
                ]
            )
        )
        for number in 1...4 {
            let loop =
                "end=$(($(date +%s) + 8)); while [ $(date +%s) -lt $end ]; do tftp -m binary \(address) -c get undionly.kpxe /dev/null; done"
            clients.append(try begin("tftp-\(number)", ["sh", "-c", loop]))
        }
        var most = 0
        for _ in 0..<35 {
            most = max(most, try server.memory())
            usleep(200_000)
        }
        let ends = try clients.map { try server.end(of: $0) }
        #expect(ends[0].status == 0 && ends[0].output.hasPrefix("calls "), "\(ends[0])")
        #expect(ends[1].status == 0, "\(ends[1].output.suffix(500))")
        #expect(most < 64_000_000 / 1024, "\(most) KiB")
        print("memory of the server with 64 busy clients: \(most) KiB; NFS \(ends[0].output)")
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
