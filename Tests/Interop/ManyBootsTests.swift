import Foundation
import Testing

/// A server that runs for months answers more boots than fit on a thread's stack, whatever grows with each of them.
@Suite(
    .enabled(if: TestNetwork.isPossible && NBDClientProgram.isThere("curl"), "needs root, ip and curl"),
    .boundedWait
) struct ManyBootsTests {
    @Test func hundredsOfScriptsAreSentByOneServer() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let mac = TestNetwork.clientMAC
        #expect(try server.diskless("node", "add", "megane", "--mac", mac).status == 0)
        let script = "http://10.77.0.1:8067/boot/\(mac.replacing(":", with: "-"))/script.ipxe"
        let all = try server.client("curl", "-sS", "\(script)?[1-600]")
        #expect(all.status == 0 && all.errors.isEmpty, "\(all.errors.suffix(200))")
        #expect(all.output.split(separator: "#!ipxe\n").count == 600)
        #expect(try server.client("curl", "-sS", script).output.contains("debian@1"))
    }
}
