import BlockStorage
import CLinux
import Testing

@Suite struct CopyOnWriteTests {
    let directory: TemporaryDirectory
    let basePath: String
    let original = pattern(1 << 20)

    init() throws {
        directory = try TemporaryDirectory()
        basePath = directory.path + "/base"
        try writeFile(basePath, original)
    }

    private func open(
        _ layers: CopyOnWriteLayers,
        _ name: String = "layer",
        identity: String = "base@1"
    ) throws -> CopyOnWriteStorage {
        let base = try FileStorage(path: basePath, writable: false)
        return try layers.open(directory: "\(directory.path)/a/\(name)", over: base, identity: identity)
    }

    @Test func writesStayInTheLayer() throws {
        let layers = CopyOnWriteLayers(kernel: "k")
        let first = try open(layers, "one")
        let second = try open(layers, "two")
        try first.put([1, 2, 3], at: 4095)
        #expect(try first.bytes(at: 4094, 5) == [original[4094], 1, 2, 3, original[4098]])
        #expect(try second.bytes(at: 0, 1 << 20) == original)
        #expect(try readFile(basePath) == original)
    }

    @Test func aLayerIsOpenOnce() throws {
        let layers = CopyOnWriteLayers(kernel: "k")
        let first = try open(layers)
        #expect(try open(layers) === first)
    }

    @Test func aSecondProcessIsRefused() throws {
        let first = try open(CopyOnWriteLayers(kernel: "k"))
        let failure = #expect(throws: BlockStorageOpenError.self) { try open(CopyOnWriteLayers(kernel: "k")) }
        #expect(failure?.reason == "another process has this layer open")
        #expect(first.size == 1 << 20)
    }

    @Test(arguments: [("k", [UInt8](repeating: 9, count: 4096)), ("other", nil)])
    func unflushedWritesSurviveAKillButNotAPowerCut(kernel: String, expected: [UInt8]?) throws {
        do { try open(CopyOnWriteLayers(kernel: "k")).put([UInt8](repeating: 9, count: 4096), at: 8192) }
        let again = try open(CopyOnWriteLayers(kernel: kernel))
        #expect(try again.bytes(at: 8192, 4096) == expected ?? Array(original[8192..<12288]))
    }

    @Test func flushedWritesSurviveAPowerCut() throws {
        do {
            let storage = try open(CopyOnWriteLayers(kernel: "k"))
            try storage.put([7], at: 5)
            try storage.flush()
        }
        let again = try open(CopyOnWriteLayers(kernel: "other"))
        #expect(try again.bytes(at: 4, 3) == [original[4], 7, original[6]])
    }

    @Test func anotherBaseIsRefused() throws {
        _ = try open(CopyOnWriteLayers(kernel: "k"))
        let failure = #expect(throws: BlockStorageOpenError.self) {
            try open(CopyOnWriteLayers(kernel: "k"), identity: "base@2")
        }
        #expect(failure?.reason.contains("belongs to base@1 (1048576 bytes), not to base@2") == true)
    }

    @Test func aDamagedHeaderIsRefused() throws {
        _ = try open(CopyOnWriteLayers(kernel: "k"))
        try writeFile(directory.path + "/a/layer/header", Array("garbage".utf8))
        #expect(throws: BlockStorageOpenError.self) { try open(CopyOnWriteLayers(kernel: "k")) }
    }

    @Test func aRemovedLayerStartsAnew() throws {
        let layers = CopyOnWriteLayers(kernel: "k")
        let old = try open(layers)
        try old.put([1], at: 0)
        try layers.remove(directory: directory.path + "/a/layer")
        try layers.remove(directory: directory.path + "/a/layer")
        let new = try open(layers)
        #expect(try new.bytes(at: 0, 1) == [original[0]])
        #expect(try old.bytes(at: 0, 1) == [1])
    }

    @Test func trimGivesUpWholeBlocksOfTheLayerAndZeroCutsExactly() throws {
        let storage = try open(CopyOnWriteLayers(kernel: "k"))
        try storage.put([UInt8](repeating: 9, count: 16_384), at: 0)
        try storage.trim(at: 100, length: 30_000)
        #expect(try storage.bytes(at: 0, 4096) == [UInt8](repeating: 9, count: 4096))
        #expect(try storage.bytes(at: 4096, 12_288) == [UInt8](repeating: 0, count: 12_288))
        #expect(try storage.bytes(at: 16_384, 16_384) == Array(original[16_384..<32_768]))
        try storage.zero(at: 300_001, length: 300_000, keepsSpace: true)
        #expect(try storage.bytes(at: 300_000, 1) == [original[300_000]])
        #expect(try storage.bytes(at: 300_001, 300_000) == [UInt8](repeating: 0, count: 300_000))
        #expect(try storage.bytes(at: 600_001, 1) == [original[600_001]])
    }

    @Test func plainRunsPointAtTheRightFile() throws {
        let storage = try open(CopyOnWriteLayers(kernel: "k"))
        try storage.put([UInt8](repeating: 5, count: 8192), at: 65536)
        let before = try #require(storage.plainFile(at: 60_000, length: 100_000))
        #expect(before.length == 5536)
        let inside = try #require(storage.plainFile(at: 66_000, length: 100_000))
        #expect(inside.length == 65536 + 8192 - 66_000)
        #expect(inside.descriptor != before.descriptor)
        let behind = try #require(storage.plainFile(at: 65536 + 8192, length: 500_000))
        #expect(behind.length == 500_000)
        #expect(behind.descriptor == before.descriptor)
    }

    @Test func threadsFillTheSameBlocksWithoutLosingBytes() async throws {
        let storage = try open(CopyOnWriteLayers(kernel: "k"))
        // Eight writers, each with its own 512 bytes of every block.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for block in 0..<256 {
                        try storage.put([UInt8](repeating: UInt8(writer), count: 512), at: block * 4096 + writer * 512)
                    }
                }
            }
            try await group.waitForAll()
        }
        let expected = (0..<2048).flatMap { [UInt8](repeating: UInt8($0 % 8), count: 512) }
        #expect(try storage.bytes(at: 0, 1 << 20) == expected)
    }

    @Test func aFullDiskIsAnErrorThatClears() throws {
        // A limit on the size of this process's files would hit other tests; a fault in the base does as well.
        let fault = FaultSwitch()
        let base = FaultInjectionStorage(try FileStorage(path: basePath, writable: false)) { _ in fault.number }
        let storage = try CopyOnWriteLayers(kernel: "k")
            .open(directory: directory.path + "/full", over: base, identity: "b")
        fault.set(ENOSPC)
        #expect(throws: BlockError(ENOSPC)) { try storage.put([1], at: 10) }
        fault.set(nil)
        #expect(try storage.bytes(at: 10, 1) == [original[10]])
        try storage.put([1], at: 10)
        #expect(try storage.bytes(at: 9, 3) == [original[9], 1, original[11]])
    }

    @Test func extentsJoinBothSides() throws {
        let storage = try open(CopyOnWriteLayers(kernel: "k"))
        try storage.zero(at: 0, length: 65536, keepsSpace: false)
        let extents = storage.extents(at: 0, length: 1 << 20, limit: 100)
        #expect(extents.first == BlockExtent(length: 65536, isData: false))
        #expect(extents.reduce(0) { $0 + $1.length } == 1 << 20)
        #expect(storage.extents(at: 0, length: 1 << 20, limit: 1).count == 1)
    }
}
