import BlockStorage
import CLinux
import NBD
import NBDServer
import Testing

@Suite(.timeLimit(.minutes(5))) struct ServingTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test(arguments: [1, 4096, 32 << 10, (32 << 10) + 1, 1 << 20, 8 << 20])
    func readsOfEverySize(length: Int) throws {
        let client = try fixture.connect()
        let offset = min(12345, Fixture.size - length)
        #expect(try client.read(offset, length) == Array(fixture.original[offset..<offset + length]))
    }

    @Test(arguments: [1, 4096, 100_000, (256 << 10) - 28, (256 << 10) - 27, 1 << 20, 5_000_001])
    func writesOfEverySize(length: Int) throws {
        let client = try fixture.connect()
        let data = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try client.write(777, data, flags: .forceUnitAccess) == .none)
        #expect(try client.read(777, length) == data)
        #expect(try client.read(776, 1) == [fixture.original[776]])
        #expect(try client.read(777 + length, 1) == [fixture.original[777 + length]])
    }

    @Test func manyRequestsInOnePiece() throws {
        let client = try fixture.connect()
        var bytes: [UInt8] = []
        for index in 0..<200 {
            bytes +=
                NBDRequest(.read, cookie: UInt64(index), offset: UInt64(index * 4096), length: 4096).encoded
        }
        try client.send(bytes)
        for index in 0..<200 {
            let reply = try client.reply(4096)
            #expect(reply.cookie == UInt64(index))
            #expect(reply.data == Array(fixture.original[index * 4096..<(index + 1) * 4096]))
        }
    }

    @Test func requestsInTheLastPieceOfTheHandshakeAreServed() throws {
        let client = try TestClient(fixture.server.endpoint)
        let go = Array("IHAVEOPT".utf8) + big(NBDOption.go.rawValue) + big(UInt32(10)) + big(UInt32(4))
        try client.send(
            go + Array("disk".utf8) + [0, 0] + NBDRequest(.read, cookie: 5, offset: 100, length: 10).encoded
        )
        _ = try client.receive(20 + 12 + 20)
        #expect(try client.reply(10).data == Array(fixture.original[100..<110]))
    }

    @Test func errorsAreToldAndTheSessionGoesOn() throws {
        let client = try fixture.connect()
        try client.request(NBDRequest(.read, cookie: 7, offset: UInt64(Fixture.size), length: 1))
        #expect(try client.reply().error == .invalid)
        #expect(try client.write(Fixture.size - 1, [1, 2]) == .noSpace)
        try client.request(NBDRequest(.read, cookie: 7, length: .max))
        #expect(try client.reply().error == .invalid)
        try client.request(NBDRequest(NBDCommand(rawValue: 99), cookie: 7))
        #expect(try client.reply().error == .invalid)
        // Longer than the server takes, and longer than its buffer: the data are read and dropped.
        #expect(try client.write(0, [UInt8](repeating: 1, count: (32 << 20) + 1)) == .invalid)
        #expect(try client.read(0, 4) == Array(fixture.original[..<4]))
    }

    @Test func trimAndZeroesAndFlush() throws {
        let client = try fixture.connect()
        try client.request(NBDRequest(.writeZeroes, cookie: 1, offset: 10, length: 100_000))
        #expect(try client.reply().error == .none)
        try client.request(NBDRequest(.trim, cookie: 2, offset: 1 << 20, length: 1 << 20))
        #expect(try client.reply().error == .none)
        try client.request(NBDRequest(.flush, cookie: 3))
        #expect(try client.reply().cookie == 3)
        #expect(try client.read(9, 2) == [fixture.original[9], 0])
        #expect(try client.read(1 << 20, 4096) == [UInt8](repeating: 0, count: 4096))
    }

    @Test func structuredRepliesAndBlockStatus() throws {
        let client = try TestClient(fixture.server.endpoint)
        _ = try client.option(.structuredReply)
        let query =
            big(UInt32(4)) + Array("disk".utf8) + big(UInt32(1)) + big(UInt32(15)) + Array("base:allocation".utf8)
        #expect(try client.option(.setMetaContext, query).map(\.type) == [.metaContext, .acknowledged])
        try client.open()
        for length in [100, 100_000] {
            try client.request(NBDRequest(.read, cookie: 9, offset: 50, length: UInt64(length)))
            let data = try client.chunk()
            #expect(data.kind == 1 && data.cookie == 9)
            #expect(data.data == big(UInt64(50)) + fixture.original[50..<50 + length])
        }
        try client.request(NBDRequest(.blockStatus, flags: .oneExtent, cookie: 10, length: 1 << 20))
        #expect(try client.chunk().data == big(UInt32(1)) + big(UInt32(1 << 20)) + big(UInt32(0)))
        try client.request(NBDRequest(.read, cookie: 11, offset: .max, length: 1))
        let error = try client.chunk()
        #expect(error.kind == 0x8001)
        #expect(error.data.starts(with: big(UInt32(22))))
    }

    @Test func extendedHeadersReadWriteAndTellExtents() throws {
        let client = try TestClient(fixture.server.endpoint)
        #expect(try client.option(.extendedHeaders).map(\.type) == [.acknowledged])
        let query =
            big(UInt32(4)) + Array("disk".utf8) + big(UInt32(1)) + big(UInt32(15)) + Array("base:allocation".utf8)
        #expect(try client.option(.setMetaContext, query).map(\.type) == [.metaContext, .acknowledged])
        try client.open()
        for length in [100, 100_000] {
            try client.send(NBDRequest(.read, cookie: 9, offset: 50, length: UInt64(length)).extendedHeader)
            let data = try client.extendedChunk()
            #expect(data.kind == 1 && data.cookie == 9 && data.offset == 50)
            #expect(data.data == big(UInt64(50)) + fixture.original[50..<50 + length])
        }
        let written = [UInt8](repeating: 7, count: 600_000)
        try client.send(NBDRequest(.write, cookie: 3, offset: 1000, length: 600_000).extendedHeader + written)
        #expect(try client.extendedChunk().kind == 0)
        try client.send(NBDRequest(.flush, cookie: 4).extendedHeader)
        #expect(try client.extendedChunk().cookie == 4)
        try client.send(NBDRequest(.blockStatus, flags: .oneExtent, cookie: 10, length: 1 << 20).extendedHeader)
        let status = try client.extendedChunk()
        #expect(status.kind == 6)
        #expect(status.data == big(UInt32(1)) + big(UInt32(1)) + big(UInt64(1 << 20)) + big(UInt64(0)))
        // Data that nobody asked for are read and refused; the session goes on.
        var odd = NBDRequest(.trim, cookie: 5, length: 400_000)
        odd.hasPayload = true
        try client.send(odd.extendedHeader + [UInt8](repeating: 0, count: 400_000))
        #expect(try client.extendedChunk().kind == 0x8001)
        try client.send(NBDRequest(.read, cookie: 6, offset: 1000, length: 600_000).extendedHeader)
        #expect(try client.extendedChunk().data.dropFirst(8) == written[...])
    }

    @Test("More data than can be wanted end the session, and it alone", arguments: [33 << 20, 1 << 40, Int.max])
    func tooMuchData(length: Int) throws {
        let client = try TestClient(fixture.server.endpoint)
        #expect(try client.option(.extendedHeaders).map(\.type) == [.acknowledged])
        try client.open()
        try client.send(NBDRequest(.write, cookie: 1, length: UInt64(length)).extendedHeader)
        #expect(client.isClosed())
        #expect(try fixture.connect("disk").read(0, 100) == Array(fixture.original[..<100]))
    }

    @Test func storageErrorsReachTheClientAndClear() throws {
        let broken = Atomic32(ENOSPC)
        let faulty = FaultInjectionStorage(fixture.storage) { _ in broken.value == 0 ? nil : broken.value }
        fixture.add("faulty", NBDExport(faulty))
        let client = try fixture.connect("faulty")
        #expect(try client.write(0, [1]) == .noSpace)
        #expect(try client.write(0, [UInt8](repeating: 1, count: 1 << 20)) == .noSpace)
        broken.value = EIO
        try client.request(NBDRequest(.read, cookie: 1, length: 1 << 20))
        #expect(try client.reply().error == .inputOutput)
        try client.request(NBDRequest(.flush, cookie: 1))
        #expect(try client.reply().error == .inputOutput)
        broken.value = 0
        #expect(try client.write(0, [9]) == .none)
        #expect(try client.read(0, 1 << 20) == [9] + fixture.original[1..<1 << 20])
    }

    /// The header is on its way when the storage fails: that session ends, the next one is told.
    @Test(arguments: [1, 4 << 20]) func anUnreadablePlaceIsToldAtTheSecondTime(place: Int) throws {
        let faulty = FaultInjectionStorage(fixture.storage) { call in
            guard case .read(let offset, let length) = call else { return nil }
            return Int(offset) <= place && place < Int(offset) + length ? EIO : nil
        }
        fixture.add("faulty", NBDExport(faulty))
        let first = try fixture.connect("faulty")
        try first.request(NBDRequest(.read, cookie: 1, length: 8 << 20))
        guard place > 1 else {
            #expect(try first.reply().error == .inputOutput)
            return
        }
        #expect(throws: (any Error).self) { try first.reply(8 << 20) }
        let second = try fixture.connect("faulty")
        try second.request(NBDRequest(.read, cookie: 2, length: 8 << 20))
        #expect(try second.reply().error == .inputOutput)
        #expect(try second.read(5 << 20, 1 << 20) == Array(fixture.original[(5 << 20)..<(6 << 20)]))
    }

    /// The same by sendfile, out of an image that somebody has cut off.
    @Test func aShortFileIsToldAtTheSecondTime() throws {
        try fixture.truncate(to: 1 << 20)
        let first = try fixture.connect()
        try first.request(NBDRequest(.read, cookie: 1, length: 2 << 20))
        #expect(throws: (any Error).self) { try first.reply(2 << 20) }
        let second = try fixture.connect()
        try second.request(NBDRequest(.read, cookie: 2, length: 2 << 20))
        #expect(try second.reply().error == .inputOutput)
        #expect(try second.read(0, 1 << 20) == Array(fixture.original[..<(1 << 20)]))
    }

    @Test func aSlowFlushDoesNotStallReads() throws {
        let isHeld = Atomic32(1)
        let slow = FaultInjectionStorage(fixture.storage) { call in
            while call == .flush, isHeld.value == 1 { usleep(1000) }
            return nil
        }
        fixture.add("slow", NBDExport(slow))
        let client = try fixture.connect("slow")
        try client.request(NBDRequest(.flush, cookie: 1))
        try client.request(NBDRequest(.read, cookie: 2, length: 16))
        #expect(try client.reply(16).cookie == 2)
        isHeld.value = 0
        #expect(try client.reply().cookie == 1)
    }

    @Test func aReadOnlyExportSaysSo() throws {
        fixture.add("ro", NBDExport(ReadOnlyStorage(fixture.storage)))
        let client = try fixture.connect("ro")
        #expect(try client.write(0, [1]) == .notPermitted)
        #expect(try client.read(0, 4) == Array(fixture.original[..<4]))
    }
}
