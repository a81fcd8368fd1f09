import CLinux
import Foundation
import Testing

/// What is kept for a node is touched only while it is off, and a server that has just started does not know that yet.
@Suite(
    .enabled(if: TestNetwork.isPossible && NBDClientProgram.isThere("curl"), "needs root, ip and curl"),
    .boundedWait
) struct NodeStorageTests {
    @Test func aServerThatHasJustStartedWaitsForThoseWhoRun() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let mac = TestNetwork.clientMAC
        #expect(try server.diskless("node", "add", "megane", "--mac", mac).status == 0)
        #expect(try server.diskless("node", "add", "never", "--mac", "02:00:00:00:77:77").status == 0)
        for name in ["megane", "never"] {
            let folder = server.state + "/nodes/\(name)/state"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try MadeUpImage.write("kept", folder + "/file")
        }
        let script = "http://10.77.0.1:8067/boot/\(mac.replacing(":", with: "-"))/script.ipxe"
        #expect(try server.client("curl", "-sS", script).output.contains("debian@1"))
        server.kill()
        try server.start()
        for words in [["reset", "megane", "--state"], ["snapshot", "megane", "good"], ["restore", "megane", "good"]] {
            let early = try node(server, words)
            #expect(early.status == 1, "\(early)")
            #expect(
                early.errors.contains("node megane may still run on it: the \(words[0]) is possible in"),
                "\(early.errors)"
            )
        }
        // Who never booted is not waited for.
        #expect(try node(server, ["snapshot", "never", "good"]).status == 0)
        #expect(try node(server, ["reset", "never", "--state"]).output.contains("node never begins anew: state"))
        #expect(try node(server, ["state", "never"]).output.contains("never\tsnapshot good"))
        #expect(try !node(server, ["state", "never"]).output.contains("never\tstate"))
        #expect(try node(server, ["restore", "never", "good"]).status == 0)
        #expect(try String(contentsOfFile: server.state + "/nodes/never/state/file", encoding: .utf8) == "kept")
        #expect(try node(server, ["restore", "never", "godo"]).errors.contains("no snapshot godo: there is good"))
        #expect(try node(server, ["state", "megane"]).output.contains("megane\tstate"))
    }

    /// `node reset --state` means what is kept: there the directory has its long name.
    private func node(_ server: ServerProcess, _ words: [String]) throws -> ServerProcess.Result {
        try server.run([BuiltProgram.path, "node"] + words + ["--state-directory", server.state])
    }
}
