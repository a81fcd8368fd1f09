import NFS3
import NFSServer
import ONCRPC
import Testing
import XDR

@Suite("Calls over TCP", .enabled(if: Fixture.isPossible, "needs root"))
struct CallTests {
    private func words(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    private func status(_ bytes: [UInt8]) -> [UInt32] { Array(words(bytes).dropFirst()) }

    @Test("What is not there is refused as RFC 5531 says")
    func refusals() throws {
        let fixture = try Fixture()
        let client = fixture.client
        func answer(_ program: UInt32, _ version: UInt32, _ procedure: UInt32, flavor: UInt32? = nil) throws -> [UInt32]
        {
            try client.send(client.call(program, version, procedure, flavor: flavor))
            return status(try client.reply())
        }
        #expect(try answer(100_227, 3, 0) == [1, 0, 0, 0, 1])
        #expect(try answer(NFS3.program, 2, 0) == [1, 0, 0, 0, 2, 3, 4])
        #expect(try answer(Mount3.program, 1, 0) == [1, 0, 0, 0, 2, 3, 3])
        #expect(try answer(NFS3.program, 3, 22) == [1, 0, 0, 0, 3])
        #expect(try answer(NFS3.program, 3, 1) == [1, 0, 0, 0, 4])
        #expect(try answer(NFS3.program, 3, 0, flavor: 6) == [1, 1, 1, 1])
        #expect(try answer(NFS3.program, 3, 0) == [1, 0, 0, 0, 0])
    }

    @Test("Calls in one segment, in fragments and byte by byte are answered in order")
    func pieces() throws {
        let fixture = try Fixture()
        let client = fixture.client
        let first = client.call(NFS3.program, 3, 0)
        let second = client.call(NFS3.program, 3, 0)
        try client.send(first + second)
        #expect(words(try client.reply()).first == words(first)[1])
        #expect(words(try client.reply()).first == words(second)[1])
        // The same call in two fragments.
        let body = Array(first.dropFirst(4))
        try client.send([0, 0, 0, 10] + body[..<10] + [0x80, 0, 0, UInt8(body.count - 10)] + body[10...])
        #expect(words(try client.reply()).first == words(first)[1])
        for byte in second { try client.send([byte]) }
        #expect(words(try client.reply()).first == words(second)[1])
    }

    @Test("A long WRITE that stays away holds up no earlier reply")
    func halfAWrite() throws {
        let fixture = try Fixture()
        let (client, root) = (fixture.client, fixture.root)
        let remove = client.call(NFS3.program, NFS3.version, NFS3Procedure.remove.rawValue) {
            root.encode(into: &$0)
            $0.writeOpaque(Array("none".utf8))
        }
        let write = client.call(NFS3.program, NFS3.version, NFS3Procedure.write.rawValue) {
            root.encode(into: &$0)
            $0.write(0 as UInt64)
            for word in [1 << 20, 0] as [UInt32] { $0.write(word) }
            $0.writeOpaque([UInt8](repeating: 1, count: 1 << 20))
        }
        try client.send(remove + write[..<5000])
        #expect(words(try client.reply()).first == words(remove)[1])
        try client.send(Array(write[5000...]))
        #expect(words(try client.reply()).first == words(write)[1])
    }

    @Test("What is not a call ends the connection, and only that one")
    func garbage() throws {
        let fixture = try Fixture()
        for bytes in [[0x80, 0, 0, 4, 1, 2, 3, 4], [0xff, 0xff, 0xff, 0xff], [UInt8](repeating: 0, count: 400)] {
            let other = try TestClient(fixture.server.endpoint)
            try other.send(bytes + [UInt8](repeating: 0, count: 1100))
            #expect(throws: (any Error).self) { try other.reply() }
        }
        #expect(try fixture.client.nfs(.getAttributes) { fixture.root.encode(into: &$0) }.status == .ok)
    }
}
