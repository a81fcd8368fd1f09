import BlockStorage
import CLinux
import NBD
import NBDServer
import Synchronization
import Testing

/// A number that a test shares with the server's threads.
final class Atomic32: Sendable {
    private let storage: Mutex<CInt>
    init(_ value: CInt) { storage = Mutex(value) }
    var value: CInt {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    @Test func refusalsCarryTheReasonAndTheHandshakeGoesOn() throws {
        let fixture = try Fixture()
        let client = try TestClient(fixture.server.endpoint)
        let refusal = try client.open("tape")
        #expect(refusal.type == .unknown)
        #expect(refusal.text == "there is no export 'tape'")
        #expect(try client.option(.list).map(\.type) == [.server, .acknowledged])
        #expect(try client.open().type == .acknowledged)
        #expect(try client.read(0, 4) == Array(fixture.original[..<4]))
    }

    @Test func theSourceHearsOfSessions() throws {
        let fixture = try Fixture()
        do {
            let client = try fixture.connect()
            _ = try client.read(0, 5000)
            try client.write(0, [1, 2, 3])
            try client.request(NBDRequest(.disconnect, cookie: 0))
            #expect(client.isClosed())
        }
        let exports = fixture.exports
        #expect(fixture.eventually { exports.record.withLock { !$0.disconnected.isEmpty } })
        exports.record.withLock { record in
            #expect(record.connected == ["disk"])
            #expect(record.disconnected.first?.name == "disk")
            #expect(record.disconnected.first?.traffic.read == 5000)
            #expect(record.disconnected.first?.traffic.written == 3)
            #expect(record.asked == [.transmission])
        }
    }

    @Test func aNewSessionReplacesTheOldOneOfTheSameNode() throws {
        let fixture = try Fixture()
        fixture.add("node", NBDExport(fixture.storage, onlySession: "node"))
        let old = try fixture.connect("node")
        #expect(try old.write(0, [1]) == .none)
        let new = try fixture.connect("node")
        #expect(try new.write(0, [2]) == .none)
        #expect(old.isClosed())
        #expect(try new.read(0, 1) == [2])
        #expect(fixture.eventually { fixture.server.connectionCount == 1 })
    }

    @Test func garbageHarmsNobodyElse() throws {
        let fixture = try Fixture()
        let good = try fixture.connect()
        var random = SystemRandomNumberGenerator()
        for round in 0..<50 {
            let bytes = (0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: 0...255) }
            let bad = try TestClient(fixture.server.endpoint, greets: round % 2 == 0)
            if round % 4 == 0 { try bad.open() }
            try? bad.send(bytes)
            if round % 3 == 0 { bad.vanish() }
        }
        #expect(try good.read(4096, 4096) == Array(fixture.original[4096..<8192]))
        #expect(fixture.eventually { fixture.server.connectionCount == 1 })
    }

    @Test func aWrongRequestEndsTheConnection() throws {
        let fixture = try Fixture()
        let client = try fixture.connect()
        try client.send([UInt8](repeating: 0xaa, count: 28))
        #expect(client.isClosed())
    }

    @Test func clientsThatVanishInTheMiddleOfRepliesHarmNobody() throws {
        let fixture = try Fixture()
        let good = try fixture.connect()
        for _ in 0..<20 {
            let bad = try fixture.connect()
            for index in 0..<50 {
                try bad.request(NBDRequest(.read, cookie: UInt64(index), length: UInt64(Fixture.size)))
            }
            bad.vanish()
        }
        #expect(try good.read(0, 100) == Array(fixture.original[..<100]))
        #expect(fixture.eventually { fixture.server.connectionCount == 1 })
    }

    @Test func aClientThatNeverReadsDelaysOnlyItself() throws {
        let fixture = try Fixture()
        let lazy = try fixture.connect()
        for index in 0..<10 { try lazy.request(NBDRequest(.read, cookie: UInt64(index), length: UInt64(Fixture.size))) }
        let good = try fixture.connect()
        #expect(try good.read(0, 100) == Array(fixture.original[..<100]))
    }

    @Test func silentClientsMakeRoom() throws {
        var limits = NBDServer.Limits()
        limits.handshakes = 4
        let fixture = try Fixture(limits: limits)
        let silent = try (0..<5).map { _ in try TestClient(fixture.server.endpoint) }
        #expect(silent[0].isClosed())
        let good = try fixture.connect()
        #expect(try good.read(0, 100) == Array(fixture.original[..<100]))
    }

    @Test(arguments: [false, true]) func tooManyConnectionsAreClosedAtOnce(ofOneClient: Bool) throws {
        var limits = NBDServer.Limits()
        if ofOneClient { limits.connectionsPerPeer = 2 } else { limits.connections = 2 }
        let fixture = try Fixture(limits: limits)
        let kept = try (0..<2).map { _ in try fixture.connect() }
        let third = try TestClient(fixture.server.endpoint, greets: false)
        #expect(third.isClosed())
        #expect(try kept[1].read(0, 4) == Array(fixture.original[..<4]))
    }

    @Test func stopAnswersWhatWasAskedAndCloses() throws {
        let fixture = try Fixture()
        let client = try fixture.connect()
        #expect(try client.write(0, [5]) == .none)
        fixture.server.stop()
        #expect(client.isClosed())
        #expect(fixture.server.connectionCount == 0)
        #expect(throws: (any Error).self) { try TestClient(fixture.server.endpoint) }
    }
}
