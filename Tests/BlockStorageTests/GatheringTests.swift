import CLinux
import Synchronization
import Testing

@testable import BlockStorage

/// Writes that arrive together at a copy-on-write layer.
@Suite struct GatheringTests {
    /// Offset and bytes of each write.
    private typealias Writes = [(offset: Int, bytes: [UInt8])]

    private func write(_ writes: Writes, to storage: any BlockStorage) throws {
        var all = writes.flatMap(\.bytes)
        try unsafe all.withUnsafeMutableBytes { memory in
            var start = 0
            try storage.write(
                together: writes.map { write in
                    defer { start += write.bytes.count }
                    let part = unsafe memory[start..<start + write.bytes.count]
                    return unsafe BlockWrite(UnsafeRawBufferPointer(rebasing: part), at: UInt64(write.offset))
                }
            )
        }
    }

    @Test func newBlocksTakeOneCallForTheirDataAndOneForTheirEntries() throws {
        let layer = PowerCutLayer(size: 64 * 4096)
        let (data, live) = (CallCountingFile(layer.data), CallCountingFile(layer.live))
        let storage = try CopyOnWriteStorage(
            base: MemoryStorage(pattern(64 * 4096)),
            data: data,
            live: live,
            committed: layer.committed,
            trust: .live
        )
        let blocks = [40, 3, 17, 4, 63, 0, 29, 30, 8]
        let bytes = pattern(blocks.count * 4096, 9)
        try write(blocks.enumerated().map { ($1 * 4096, Array(bytes[$0 * 4096..<$0 * 4096 + 4096])) }, to: storage)
        #expect(data.calls == 1)
        #expect(live.calls == 1)
        for (index, block) in blocks.enumerated() {
            #expect(try storage.bytes(at: block * 4096, 4096) == Array(bytes[index * 4096..<index * 4096 + 4096]))
        }
    }

    /// Whatever comes together, in whatever pieces: the layer reads as if one came after the other, after a kill too.
    @Test(arguments: 1...40)
    func whatOverlapsIsDoneInItsOrder(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        // Not a whole number of blocks.
        let size = 40 * 4096 + 1536
        let base = pattern(size)
        let layer = PowerCutLayer(size: size)
        let storage = try layer.open(MemoryStorage(base), .live)
        var expected = base
        for round in 0..<12 {
            var writes = Writes()
            for number in 0..<Int.random(in: 1...24, using: &random) {
                let isWhole = Int.random(in: 0..<4, using: &random) > 0
                let unit = isWhole ? 4096 : 512
                let offset = Int.random(in: 0..<size / unit, using: &random) * unit
                let count = min(size - offset, unit * Int.random(in: 1...4, using: &random))
                writes.append((offset, pattern(count, UInt64(seed * 10_000 + round * 100 + number))))
            }
            try write(writes, to: storage)
            for write in writes {
                expected.replaceSubrange(write.offset..<write.offset + write.bytes.count, with: write.bytes)
            }
            #expect(try storage.bytes(at: 0, size) == expected)
        }
        #expect(try layer.open(MemoryStorage(base), .live).bytes(at: 0, size) == expected)
        try storage.flush()
        var cut = layer
        cut.cutPower(&random)
        #expect(try cut.open(MemoryStorage(base), .committed).bytes(at: 0, size) == expected)
    }

    @Test func moreThanOneCallTakesIsDoneInSeveral() throws {
        let size = 1200 * 4096
        let layer = PowerCutLayer(size: size)
        let storage = try layer.open(MemoryStorage(pattern(size)), .live)
        let bytes = pattern(size, 3)
        // Every other block first, so that nothing is in a row.
        let order = Array(stride(from: 0, to: 1200, by: 2)) + Array(stride(from: 1, to: 1200, by: 2))
        try write(order.map { ($0 * 4096, Array(bytes[$0 * 4096..<$0 * 4096 + 4096])) }, to: storage)
        #expect(try storage.bytes(at: 0, size) == bytes)
        #expect(try layer.open(MemoryStorage(pattern(size)), .live).bytes(at: 0, size) == bytes)
    }

    /// Threads that bring the same blocks at the same time: each block is added once, and all of its bytes are of one write.
    @Test func threadsBringTheSameBlocks() async throws {
        let size = 128 * 4096
        let layer = PowerCutLayer(size: size)
        let storage = try layer.open(MemoryStorage(pattern(size)), .live)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    var random = SeededGenerator(state: UInt64(thread))
                    let blocks = (0..<128).shuffled(using: &random)
                    for start in stride(from: 0, to: 128, by: 16) {
                        let part = blocks[start..<start + 16]
                        try write(
                            part.map { ($0 * 4096, .init(repeating: UInt8(thread + 1), count: 4096)) },
                            to: storage
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        let bytes = try storage.bytes(at: 0, size)
        for block in 0..<128 {
            let one = bytes[block * 4096..<block * 4096 + 4096]
            #expect(Set(one).count == 1 && one.first.map { (1...4).contains($0) } == true, "block \(block)")
        }
        #expect(try layer.open(MemoryStorage(pattern(size)), .live).bytes(at: 0, size) == bytes)
    }
}

/// Counts the calls that write.
private final class CallCountingFile: LayerFile {
    private let file: PowerCutFile
    private let count = Mutex(0)
    var calls: Int { count.withLock { $0 } }

    init(_ file: PowerCutFile) { self.file = file }

    var plainDescriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        count.withLock { $0 += 1 }
        unsafe try file.write(bytes, at: offset)
    }
    func write(gathered parts: ArraySlice<UnsafeRawBufferPointer>, at offset: UInt64) throws(BlockError) {
        count.withLock { $0 += 1 }
        unsafe try file.write(gathered: parts, at: offset)
    }
    func sync() throws(BlockError) { try file.sync() }
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try file.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        file.extents(at: offset, length: length, limit: limit)
    }
}
