import BlockStorage
import CLinux
import NBD
import NBDServer
import Testing

/// Writes to a copy-on-write layer that arrive in one piece.
@Suite(.timeLimit(.minutes(5))) struct GatheredWriteTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private func write(_ cookie: UInt64, _ block: Int, _ value: UInt8, count: Int = 4096) -> [UInt8] {
        let request = NBDRequest(.write, cookie: cookie, offset: UInt64(block * 4096), length: UInt64(count))
        return request.encoded + [UInt8](repeating: value, count: count)
    }

    @Test func eachIsAnsweredAndWhatFollowsSeesThem() throws {
        try fixture.withLayer { layer in
            fixture.add("layer", NBDExport(layer))
            let client = try fixture.connect("layer")
            var bytes: [UInt8] = []
            for index in 0..<40 { bytes += write(UInt64(index), 3 * index + 1, UInt8(index)) }
            bytes += write(40, 1, 99, count: 10)
            bytes += NBDRequest(.read, cookie: 41, offset: 4096, length: 12).encoded
            bytes += write(42, 200, 7)
            bytes += NBDRequest(.disconnect, cookie: 43).encoded
            try client.send(bytes)
            for index in 0...40 {
                let reply = try client.reply()
                #expect(reply.cookie == UInt64(index) && reply.error == .none)
            }
            let read = try client.reply(12)
            #expect(read.cookie == 41)
            #expect(read.data == [UInt8](repeating: 99, count: 10) + [0, 0])
            #expect(try client.reply().cookie == 42)
            #expect(client.isClosed())
            let again = try fixture.connect("layer")
            for index in 1..<40 {
                #expect(try again.read((3 * index + 1) * 4096, 4096) == .init(repeating: UInt8(index), count: 4096))
            }
            #expect(try again.read(200 * 4096, 4096) == .init(repeating: 7, count: 4096))
        }
        #expect(
            try fixture.connect().read(0, 1 << 20) == Array(fixture.original[..<(1 << 20)]),
            "the base is untouched"
        )
    }

    @Test func onlyTheOneThatFailsIsToldSo() throws {
        try fixture.withLayer { layer in
            let faulty = FaultInjectionStorage(layer) { call in
                if case .write(offset: 20 * 4096, length: _) = call { ENOSPC } else { nil }
            }
            try #require(faulty.capabilities.contains(.gathering))
            fixture.add("faulty", NBDExport(faulty))
            let client = try fixture.connect("faulty")
            try client.send((0..<10).flatMap { write(UInt64($0), 18 + $0, UInt8(100 + $0)) })
            for index in 0..<10 {
                let reply = try client.reply()
                #expect(reply.cookie == UInt64(index) && reply.error == (index == 2 ? .noSpace : .none))
            }
            for index in 0..<10 {
                let expected: [UInt8] =
                    index == 2
                    ? Array(fixture.original[20 * 4096..<21 * 4096]) : .init(repeating: UInt8(100 + index), count: 4096)
                #expect(try client.read((18 + index) * 4096, 4096) == expected)
            }
        }
    }
}
