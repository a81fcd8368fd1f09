import Testing

/// A version that somebody may need is kept, whether a server runs or not.
@Suite(
    .enabled(if: TestNetwork.isPossible && NBDClientProgram.isThere("curl"), "needs root, ip and curl"),
    .boundedWait
) struct ImageRemovalTests {
    @Test func withoutAServerTheStateOnDiskSaysWhoMayWait() throws {
        let server = try ServerProcess()
        for _ in 0..<3 { try server.publish("debian") }
        try server.start()
        let mac = TestNetwork.clientMAC
        #expect(try server.diskless("node", "add", "megane", "--mac", mac, "--image", "debian@2").status == 0)
        #expect(try server.diskless("image", "tag", "debian@3", "lab").status == 0)
        let script = "http://10.77.0.1:8067/boot/\(mac.replacing(":", with: "-"))/script.ipxe"
        #expect(try server.client("curl", "-sS", script).output.contains("debian@2"))
        server.kill()
        let used = try server.diskless("image", "rm", "debian@2")
        #expect(used.status == 1, "\(used.output)")
        #expect(used.errors == "Error: debian@2 is in use by megane: shut them down first, or say --force\n")
        let tagged = try server.diskless("image", "rm", "debian@3")
        #expect(tagged.status != 0 && tagged.errors.contains("debian@3 has the tag debian:lab"), "\(tagged.errors)")
        // Of several all go or none.
        for keeper in ["debian@2", "debian@3", "debian@9"] {
            let some = try server.diskless("image", "rm", "debian@1", keeper)
            #expect(some.status != 0 && some.output.isEmpty && some.errors.contains(keeper), "\(some)")
        }
        #expect(try server.diskless("image", "rm", "debian@1").status == 0)
        #expect(try server.diskless("image", "rm", "debian@2", "--force").status == 0)
        // What the look at the registry left is what a server starts with.
        try server.start()
        #expect(try server.diskless("node", "list").output.contains("megane\t"))
    }
}
