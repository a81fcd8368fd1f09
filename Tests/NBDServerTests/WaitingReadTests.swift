import BlockStorage
import CLinux
import NBD
import NBDServer
import Testing

/// READs that wait one behind another are answered out of the page cache, by reference.
@Suite(.timeLimit(.minutes(5))) struct WaitingReadTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private func read(_ cookie: Int, _ offset: Int, _ length: Int) -> [UInt8] {
        NBDRequest(.read, cookie: UInt64(cookie), offset: UInt64(offset), length: UInt64(length)).encoded
    }

    /// Heads are written while thousands of earlier ones are still on their way.
    @Test func headsStayWhatTheyWereWhileTheClientDoesNotRead() throws {
        let client = try fixture.connect()
        let count = 4000
        let hasRoom = client.setRoom(64 << 20)
        try client.send((0..<count).flatMap { read($0, $0 % 2000 * 4096, 4096) })
        if hasRoom { #expect(fixture.eventually { client.waiting > 2500 * 4112 }) }
        for index in 0..<count {
            let reply = try client.reply(4096)
            #expect(reply.cookie == UInt64(index) && reply.error == .none)
            let start = index % 2000 * 4096
            #expect(reply.data[...] == fixture.original[start..<start + 4096])
        }
    }

    @Test func whatCannotBeReadFailsAloneAndInItsPlace() throws {
        try fixture.truncate(to: 1 << 20)
        let client = try fixture.connect()
        // Behind the end, across it, and before it.
        let places = (0..<60).map { $0 % 5 == 4 ? 2 << 20 : $0 % 7 == 6 ? (1 << 20) - 4096 : $0 * 8192 }
        try client.send(places.enumerated().flatMap { read($0.offset, $0.element, 8192) })
        for (index, place) in places.enumerated() {
            let reply = try client.reply(8192)
            #expect(reply.cookie == UInt64(index))
            guard place + 8192 <= 1 << 20 else {
                #expect(reply.error == .inputOutput)
                continue
            }
            #expect(reply.data[...] == fixture.original[place..<place + 8192])
        }
    }

    @Test func otherRequestsKeepTheirPlaceAmongThem() throws {
        let client = try fixture.connect()
        let words = [UInt8](repeating: 0x5a, count: 512)
        let lengths = [4096, 512, 32 << 10, (32 << 10) + 512, 100_000, 4096, 1, 8192, 1 << 20, 5000]
        var piece: [UInt8] = []
        for (index, length) in lengths.enumerated() {
            piece += read(index, 123 + index * 100_000, length)
            piece += NBDRequest(.write, cookie: 100, offset: 7 << 20, length: 512).encoded + words
            piece += NBDRequest(.read, cookie: 200, offset: UInt64(Fixture.size), length: 4096).encoded
        }
        try client.send(piece + piece)
        for _ in 0..<2 {
            for (index, length) in lengths.enumerated() {
                let reply = try client.reply(length)
                #expect(reply.cookie == UInt64(index))
                let start = 123 + index * 100_000
                #expect(reply.data[...] == fixture.original[start..<start + length])
                #expect(try client.reply().cookie == 100)
                let refused = try client.reply()
                #expect(refused.cookie == 200 && refused.error == .invalid)
            }
        }
    }

    /// They would also be forgotten with the memory that an idle connection gives back.
    @Test(arguments: [1, 3]) func repliesDoNotWaitForTheDataOfALongWrite(count: Int) throws {
        let client = try fixture.connect()
        let length = 1 << 20
        let write = NBDRequest(.write, cookie: 9, offset: 4 << 20, length: UInt64(length)).encoded
        let data = [UInt8](repeating: 3, count: length)
        try client.send((0..<count).flatMap { read($0, $0 * 4096, 4096) } + write + data[..<1000])
        for index in 0..<count {
            #expect(try client.reply(4096).data[...] == fixture.original[index * 4096..<(index + 1) * 4096])
        }
        try client.send(Array(data[1000...]))
        #expect(try client.reply().cookie == 9)
        #expect(try client.read(4 << 20, length) == data)
    }

    @Test func structuredOnesHaveTheirOffsets() throws {
        let client = try TestClient(fixture.server.endpoint)
        _ = try client.option(.structuredReply)
        try client.open()
        try client.send((0..<100).flatMap { read($0, $0 * 5000, 5000) })
        for index in 0..<100 {
            let chunk = try client.chunk()
            #expect(chunk.kind == 1 && chunk.cookie == UInt64(index))
            #expect(chunk.data == big(UInt64(index * 5000)) + fixture.original[index * 5000..<(index + 1) * 5000])
        }
    }

    @Test("Blocks of a copy-on-write layer come from two files, few and many at a time")
    func layersGiveBothOfTheirFiles() throws {
        try fixture.withLayer { layer in
            fixture.add("layer", NBDExport(layer))
            var expected = fixture.original
            let client = try fixture.connect("layer")
            for block in stride(from: 0, to: 200, by: 2) {
                let data = [UInt8](repeating: UInt8(block), count: 4096)
                #expect(try client.write(block * 4096, data) == .none)
                expected.replaceSubrange(block * 4096..<(block + 1) * 4096, with: data)
            }
            // From one block to the eight pieces that are put together at most, and one more.
            let lengths = [4096, 8192, 12288, 28672, 32768, 5000]
            let reads = (0..<120).map { (offset: $0 * 6000 + 7, length: lengths[$0 % lengths.count]) }
            try client.send(reads.enumerated().flatMap { read($0.offset, $0.element.offset, $0.element.length) })
            for (index, one) in reads.enumerated() {
                let reply = try client.reply(one.length)
                #expect(reply.cookie == UInt64(index))
                #expect(reply.data[...] == expected[one.offset..<one.offset + one.length])
            }
        }
    }
}
