import CLinux
import NFS3
import NFSServer
import NetworkTypes
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

    /// Connections of an address that make a call each, as long as they are served; `count` are tried.
    private func hold(_ count: Int, _ fixture: Fixture, from last: UInt32) throws -> [TestClient] {
        try (0..<count).map { _ in
            let client = try TestClient(fixture.server.endpoint, from: IPv4Address(value: 0x7f00_0000 | last))
            return (client, client.isServed())
        }.filter(\.1).map(\.0)
    }

    @Test("One address gets no more than its share, however it calls, and another one is served")
    func share() throws {
        var limits = NFSServer.Limits()
        limits.connections = 32
        limits.connectionsPerPeer = 20
        let fixture = try Fixture(limits: limits)
        let held = try hold(40, fixture, from: 2)
        #expect(held.count == 20)
        #expect(try hold(10, fixture, from: 3).count == 10)
        #expect(held.allSatisfy { $0.isServed() })
    }

    @Test("When there is no room left, who has the most makes room for who has less, and loses no more than that")
    func greedy() throws {
        var limits = NFSServer.Limits()
        limits.connections = 32
        limits.connectionsPerPeer = 20
        let fixture = try Fixture(limits: limits)
        let first = try hold(20, fixture, from: 2)
        let second = try hold(20, fixture, from: 3)
        // One is the fixture's own.
        #expect((first.count, second.count) == (20, 15))
        let third = try hold(3, fixture, from: 4)
        #expect(third.count == 3)
        let left = (first.count { $0.isServed() }, second.count { $0.isServed() })
        #expect(left.0 + left.1 == 28 && min(left.0, left.1) >= 13, "\(left)")
        #expect(fixture.client.isServed())
    }

    @Test("Many that say nothing make room for others before these do")
    func silentShare() throws {
        var limits = NFSServer.Limits()
        limits.silent = 4
        let fixture = try Fixture(limits: limits)
        let quiet = try TestClient(fixture.server.endpoint, from: IPv4Address(value: 0x7f00_0003))
        let silent = try (0..<40).map { _ in
            try TestClient(fixture.server.endpoint, from: IPv4Address(value: 0x7f00_0002))
        }
        #expect(quiet.isServed())
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
