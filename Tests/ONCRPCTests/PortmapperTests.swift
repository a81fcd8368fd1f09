import ONCRPC
import Testing
import XDR

@Suite("Port mapper")
struct PortmapperTests {
    private let mapper = Portmapper([
        Portmapper.Entry(100_003, 3, .tcp, 2049), Portmapper.Entry(100_003, 4, .tcp, 2050),
    ])

    private func words(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    }

    private func ask(_ values: UInt32...) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 256)
        let count = unsafe room.withUnsafeMutableBytes { memory in
            var writer = unsafe XDRWriter(unsafely: memory)
            return unsafe mapper.answer(words(values).span.bytes, into: &writer) ? writer.count : nil
        }
        return count.map { Array(room.prefix($0)) }
    }

    @Test(
        "GETPORT: the version's port, else another version's, else 0",
        arguments: [
            ([100_003, 3, 6, 0], 2049), ([100_003, 4, 6, 0], 2050), ([100_003, 2, 6, 0], 2049),
            ([100_003, 3, 17, 0], 0),
            ([100_005, 3, 6, 0], 0),
        ] as [([UInt32], UInt32)]
    )
    func port(question: [UInt32], port: UInt32) {
        let q = question
        let reply = ask(9, 0, 2, 100_000, 2, 3, 0, 0, 0, 0, q[0], q[1], q[2], q[3])
        #expect(reply == words([9, 1, 0, 0, 0, 0, port]))
    }

    @Test("DUMP lists all; nobody registers; what is no call gets no answer")
    func others() {
        let list = ask(9, 0, 2, 100_000, 2, 4, 0, 0, 0, 0)
        #expect(list == words([9, 1, 0, 0, 0, 0, 1, 100_003, 3, 6, 2049, 1, 100_003, 4, 6, 2050, 0]))
        #expect(ask(9, 0, 2, 100_000, 2, 1, 0, 0, 0, 0, 1, 2, 6, 3) == words([9, 1, 0, 0, 0, 0, 0]))
        #expect(ask(9, 0, 2, 100_000, 2, 3, 0, 0, 0, 0, 1) == words([9, 1, 0, 0, 0, 4]))
        #expect(ask(9, 0, 2, 100_000, 4, 3, 0, 0, 0, 0) == words([9, 1, 0, 0, 0, 2, 2, 2]))
        #expect(ask(9, 0, 2, 100_003, 3, 0, 0, 0, 0, 0) == words([9, 1, 0, 0, 0, 1]))
        #expect(ask(9, 1, 0, 0) == nil)
        #expect(ask(9) == nil)
    }
}
