import CLinux
import NFS3
import NFSServer
import Testing
import XDR

@Suite("Clients that misbehave", .enabled(if: Fixture.isPossible, "needs root"))
struct CrowdTests {
    @Test("Many that say nothing make room for one that does")
    func silent() throws {
        var limits = NFSServer.Limits()
        limits.silent = 4
        limits.connections = 64
        let fixture = try Fixture(limits: limits)
        let silent = try (0..<40).map { _ in try TestClient(fixture.server.endpoint) }
        let late = try TestClient(fixture.server.endpoint)
        #expect(try late.nfs(.getAttributes) { fixture.root.encode(into: &$0) }.status == .ok)
        #expect(try fixture.client.nfs(.getAttributes) { fixture.root.encode(into: &$0) }.status == .ok)
        #expect(fixture.server.connectionCount <= 64)
        withExtendedLifetime(silent) {}
    }

    @Test("One that never reads its replies holds up nobody")
    func deaf() throws {
        let fixture = try Fixture()
        let deaf = try TestClient(fixture.server.endpoint)
        let call = deaf.call(NFS3.program, NFS3.version, NFS3Procedure.fileSystemInfo.rawValue) {
            fixture.root.encode(into: &$0)
        }
        let many = Array(repeatElement(call, count: 2000).joined())
        // More replies than the socket holds: this thread would wait too if it sent all of them.
        for _ in 0..<4 { try? deaf.send(many) }
        for _ in 0..<100 {
            #expect(try fixture.client.nfs(.getAttributes) { fixture.root.encode(into: &$0) }.status == .ok)
        }
    }
}
