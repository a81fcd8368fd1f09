import BlockStorage
import CLinux
import Testing

/// What a flush acknowledged is there after the server was killed and after the power was cut.
@Suite struct CrashTests {
    static let sector = 512

    /// A disk's promise for each sector: after a power cut it holds what was there at the last flush or anything written
    /// since; the unflushed versions are kept here.
    struct Model {
        var current: [UInt8]
        var allowed: [[[UInt8]]]

        init(_ base: [UInt8]) {
            current = base
            allowed = stride(from: 0, to: base.count, by: sector).map {
                [Array(base[$0..<min($0 + sector, base.count)])]
            }
        }

        mutating func write(_ bytes: [UInt8], at offset: Int) {
            current.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            for index in offset / sector...(offset + bytes.count - 1) / sector { allowed[index].append(slice(index)) }
        }

        mutating func flush() {
            for index in allowed.indices { allowed[index] = [slice(index)] }
        }

        func slice(_ index: Int) -> [UInt8] {
            Array(current[index * sector..<min((index + 1) * sector, current.count)])
        }
    }

    @Test(arguments: 0..<24)
    func flushedDataSurvivesPowerCuts(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        // Not a multiple of the block, and more than one chunk.
        let bytes = pattern(70 * 4096 + 1536, 7)
        let base = MemoryStorage(bytes)
        var model = Model(bytes)
        var layer = PowerCutLayer(size: bytes.count)
        for _ in 0..<6 {
            var storage = try layer.open(base, .committed)
            for step in 0..<40 {
                let length = [512, 1024, 4096, 4096, 12288, 20000].randomElement(using: &random) ?? 512
                var offset = Int.random(in: 0...(bytes.count - length), using: &random)
                if Bool.random(using: &random) { offset = offset / 512 * 512 }
                switch Int.random(in: 0..<11, using: &random) {
                case 10:
                    // The server is killed, the kernel goes on.
                    storage = try layer.open(base, .live)
                case 0..<7:
                    let data = pattern(length, UInt64(seed * 1000 + step))
                    model.write(data, at: offset)
                    try storage.put(data, at: offset)
                case 7:
                    model.write([UInt8](repeating: 0, count: length), at: offset)
                    try storage.zero(at: UInt64(offset), length: UInt64(length), keepsSpace: false)
                default:
                    try storage.flush()
                    model.flush()
                }
            }
            #expect(try storage.bytes(at: 0, bytes.count) == model.current)
            layer.cutPower(&random)
            // The next life begins with what is there now, which must be one of the allowed versions everywhere.
            let found = try layer.open(base, .committed).bytes(at: 0, bytes.count)
            for index in model.allowed.indices {
                let range = index * Self.sector..<min((index + 1) * Self.sector, bytes.count)
                let isAllowed = model.allowed[index].contains(Array(found[range]))
                #expect(isAllowed, "sector \(index) of seed \(seed)")
            }
            model = Model(found)
            layer.cutPower(&random)
        }
    }

    @Test func aKilledServerLosesNothing() throws {
        let bytes = pattern(200 * 4096)
        let layer = PowerCutLayer(size: bytes.count)
        let base = MemoryStorage(bytes)
        let data = pattern(10_000, 3)
        do {
            let storage = try layer.open(base, .committed)
            try storage.put(data, at: 123_456)
        }
        let again = try layer.open(base, .live)
        #expect(try again.bytes(at: 123_456, 10_000) == data)
        #expect(try again.bytes(at: 0, 123_456) == Array(bytes[..<123_456]))
        // What the killed server never committed is committed by the next one's flush.
        try again.flush()
        var after = layer
        var random = SeededGenerator(state: 5)
        after.cutPower(&random)
        #expect(try after.open(base, .committed).bytes(at: 123_456, 10_000) == data)
    }

    /// The server was killed between the writing of `committed` and its sync: the next flush must not take it for durable.
    @Test func entriesThatWereNeverSyncedAreSyncedByTheNextFlush() throws {
        let bytes = pattern(16 * 4096)
        let base = MemoryStorage(bytes)
        let data = pattern(4096, 3)
        var layer = PowerCutLayer(size: bytes.count)
        let storage = try CopyOnWriteStorage(
            base: base,
            data: layer.data,
            live: layer.live,
            committed: UnsyncedFile(layer.committed),
            trust: .committed
        )
        try storage.put(data, at: 8192)
        try storage.flush()
        try layer.open(base, .live).flush()
        var random = SeededGenerator(state: 11)
        layer.cutPower(&random)
        #expect(try layer.open(base, .committed).bytes(at: 8192, 4096) == data)
    }

    @Test func anIndexThatContradictsItselfIsRefused() throws {
        let layer = PowerCutLayer(size: 16 * 4096)
        // Two slots for block 2; a block behind the end.
        for entries: [UInt8] in [[3, 0, 0, 0, 3, 0, 0, 0], [17, 0, 0, 0]] {
            try unsafe entries.withUnsafeBytes { unsafe try layer.committed.write($0, at: 0) }
            #expect(throws: BlockError(EUCLEAN)) { try layer.open(MemoryStorage(pattern(16 * 4096)), .committed) }
        }
    }
}

/// A file of which nothing is ever durable.
private final class UnsyncedFile: LayerFile {
    let file: PowerCutFile
    init(_ file: PowerCutFile) { self.file = file }
    var plainDescriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.write(bytes, at: offset)
    }
    func sync() throws(BlockError) {}
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try file.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        file.extents(at: offset, length: length, limit: limit)
    }
}
