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
