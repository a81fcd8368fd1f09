import BlockStorage
import CLinux
import NBD
import NBDServer
import NetworkTypes
import Testing

/// NBD_CMD_RESIZE of the experimental extension, which no client of today sends.
@Suite(.timeLimit(.minutes(5))) struct ResizeTests {
    let fixture: Fixture
    let size = UInt64(Fixture.size)

    init() throws {
        fixture = try Fixture()
        fixture.add("growing", NBDExport(fixture.storage, mayGrow: true))
    }

    private func resize(_ client: TestClient, to size: UInt64) throws -> NBDErrorCode {
        try client.request(NBDRequest(.resize, cookie: 3, offset: size))
        return try client.reply().error
    }

    @Test func anExportGrows() throws {
        let client = try fixture.connect("growing")
        #expect(try client.write(Fixture.size, [1]) == .noSpace)
        #expect(try resize(client, to: size + 4096) == .none)
        #expect(try client.read(Fixture.size - 1, 2) == [fixture.original[Fixture.size - 1], 0])
        #expect(try client.write(Fixture.size + 4095, [7], flags: .forceUnitAccess) == .none)
        #expect(try client.write(Fixture.size + 4095, [7, 7]) == .noSpace)
        #expect(fixture.storage.size == size + 4096)
        // Who opens it then gets the new size; who had it open goes on with the old one.
        #expect(try TestClient(fixture.server.endpoint).info("growing").size == size + 4096)
    }

    @Test func anotherSessionKeepsItsSize() throws {
        let other = try fixture.connect("growing")
        #expect(try resize(fixture.connect("growing"), to: size + 4096) == .none)
        try other.request(NBDRequest(.read, cookie: 1, offset: size, length: 1))
        #expect(try other.reply().error == .invalid)
        // It may ask for less than there is, which is more than it knows of: the file stays as it is.
        #expect(try resize(other, to: size + 1) == .notPermitted)
        #expect(try resize(other, to: size + 8192) == .none)
        #expect(fixture.storage.size == size + 8192)
    }

    @Test func nothingShrinks() throws {
        let client = try fixture.connect("growing")
        #expect(try resize(client, to: size - 1) == .notPermitted)
        #expect(try resize(client, to: .max) == .noSpace)
        #expect(try resize(client, to: size) == .none)
        #expect(try client.read(0, 4) == Array(fixture.original[..<4]))
        #expect(fixture.storage.size == size)
    }

    @Test func onlyWhereItIsAllowed() throws {
        fixture.add("read-only", NBDExport(ReadOnlyStorage(fixture.storage), mayGrow: true))
        let flags = try ["growing", "disk", "read-only"].map { name in
            try TestClient(fixture.server.endpoint).info(name).flags.contains(.resize)
        }
        #expect(flags == [true, false, false])
        for name in ["disk", "read-only"] {
            #expect(try resize(fixture.connect(name), to: size + 4096) == .invalid)
        }
        #expect(fixture.storage.size == size)
    }

    @Test func aSingleFileMayGrow() throws {
        let end = Endpoint(IPv4Address(value: 0x7f00_0001), 0)
        let peer = NBDPeer(connection: 1, remote: end, local: end)
        let single = try SingleExport(fixture.storage).open("", purpose: .transmission, peer: peer)
        #expect(single.mayGrow)
    }

    /// What came before is answered before the disk is waited for, and the requests behind it see the new size.
    @Test func requestsAroundItInOnePiece() throws {
        let client = try fixture.connect("growing")
        try client.send(
            NBDRequest(.read, cookie: 1, length: 16).encoded
                + NBDRequest(.resize, cookie: 2, offset: size + 512).encoded
                + NBDRequest(.read, cookie: 3, offset: size, length: 512).encoded
        )
        #expect(try client.reply(16).cookie == 1)
        #expect(try client.reply().cookie == 2)
        #expect(try client.reply(512).data == [UInt8](repeating: 0, count: 512))
    }
}
