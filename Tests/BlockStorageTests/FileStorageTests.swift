import BlockStorage
import CLinux
import Synchronization
import Testing

/// An errno that a test turns on and off.
final class FaultSwitch: Sendable {
    private let value = Mutex<CInt?>(nil)
    var number: CInt? { value.withLock { $0 } }
    func set(_ number: CInt?) { value.withLock { $0 = number } }
}

@Suite struct FileStorageTests {
    let directory: TemporaryDirectory
    let path: String
    let original = pattern(100_000)

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/file"
        try writeFile(path, original)
    }

    @Test func readsAndWritesInPlace() throws {
        let storage = try FileStorage(path: path, writable: true)
        #expect(storage.size == 100_000)
        try storage.put([1, 2, 3], at: 50)
        try storage.zero(at: 1000, length: 10, keepsSpace: false)
        try storage.flush()
        #expect(try storage.bytes(at: 49, 5) == [original[49], 1, 2, 3, original[53]])
        #expect(try storage.bytes(at: 1000, 10) == [UInt8](repeating: 0, count: 10))
    }

    @Test func aReadOnlyFileRefusesChanges() throws {
        for storage: any BlockStorage in [
            try FileStorage(path: path, writable: false), ReadOnlyStorage(try FileStorage(path: path, writable: true)),
        ] {
            #expect(storage.capabilities == .shared)
            #expect(throws: BlockError(EPERM)) { try storage.put([1], at: 0) }
            #expect(throws: BlockError(EPERM)) { try storage.trim(at: 0, length: 1) }
            #expect(try storage.bytes(at: 0, 10) == Array(original[..<10]))
        }
    }

    @Test func aFileGrowsAndNeverShrinks() throws {
        let storage = try FileStorage(path: path, writable: true)
        #expect(storage.capabilities.contains(.grow))
        try storage.grow(to: 300_000)
        #expect(storage.size == 300_000)
        #expect(try readFile(path).count == 300_000)
        #expect(try storage.bytes(at: 99_999, 3) == [original[99_999], 0, 0])
        #expect(throws: BlockError(EPERM)) { try storage.grow(to: 299_999) }
        try storage.grow(to: 300_000)
        #expect(throws: BlockError(ENOTSUP)) { try FileStorage(path: path, writable: false).grow(to: 400_000) }
        #expect(throws: BlockError(ENOTSUP)) { try ReadOnlyStorage(storage).grow(to: 400_000) }
        #expect(storage.size == 300_000)
    }

    @Test func whatIsNoPlainFileDoesNotGrow() throws {
        let storage = try FileStorage(path: "/dev/null", writable: true)
        #expect(!storage.capabilities.contains(.grow))
        #expect(throws: BlockError(ENOTSUP)) { try storage.grow(to: 4096) }
    }

    @Test func aFileThatShrankIsAnErrorAndNotRubbish() throws {
        let storage = try FileStorage(path: path, writable: false)
        #expect(unsafe truncate(path, 100) == 0)
        #expect(throws: BlockError(EIO)) { try storage.bytes(at: 0, 200) }
    }

    @Test func namesWhatCannotBeOpened() {
        #expect(throws: BlockStorageOpenError(path: "/nowhere", reason: "No such file or directory")) {
            try FileStorage(path: "/nowhere", writable: false)
        }
        #expect(throws: BlockStorageOpenError(path: "/", reason: "is a directory; name a file or a block device")) {
            try FileStorage(path: "/", writable: false)
        }
    }

    @Test func holesAreSeen() throws {
        let sparse = directory.path + "/sparse"
        try writeFile(sparse, [])
        #expect(unsafe truncate(sparse, 1 << 20) == 0)
        let storage = try FileStorage(path: sparse, writable: true)
        try storage.put(pattern(65536), at: 131_072)
        let extents = storage.extents(at: 0, length: 1 << 20, limit: 10)
        #expect(extents.map(\.length) == [131_072, 65536, (1 << 20) - 196_608])
        #expect(extents.map(\.isData) == [false, true, false])
    }

    @Test func flushesAtTheSameTimeShareAPass() async throws {
        let passes = Mutex(0)
        let layer = PowerCutLayer(size: 1 << 20)
        let counting = CountingFile(layer.data) { passes.withLock { $0 += 1 } }
        let storage = try CopyOnWriteStorage(
            base: MemoryStorage(pattern(1 << 20)),
            data: counting,
            live: layer.live,
            committed: layer.committed,
            trust: .live
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { try storage.flush() } }
            try await group.waitForAll()
        }
        #expect(passes.withLock { $0 } <= 64)
        #expect(passes.withLock { $0 } >= 1)
    }

    @Test func aFailedFlushStaysFailed() throws {
        let layer = PowerCutLayer(size: 4096)
        let failing = CountingFile(layer.data) { () throws(BlockError) in throw BlockError(EIO) }
        let storage = try CopyOnWriteStorage(
            base: MemoryStorage(pattern(4096)),
            data: failing,
            live: layer.live,
            committed: layer.committed,
            trust: .live,
            name: "a layer whose disk fails"
        )
        #expect(throws: BlockError(EIO)) { try storage.flush() }
        #expect(throws: BlockError(EIO)) { try storage.flush() }
        // Also after all sessions closed it: the kernel would call the lost pages clean.
        for (name, isBroken) in [("a layer whose disk fails", true), ("another layer", false)] {
            let again = try CopyOnWriteStorage(
                base: MemoryStorage(pattern(4096)),
                data: layer.data,
                live: layer.live,
                committed: layer.committed,
                trust: .live,
                name: name
            )
            if isBroken { #expect(throws: BlockError(EIO)) { try again.flush() } } else { try again.flush() }
        }
    }
}

/// Calls a function before each sync.
final class CountingFile: LayerFile {
    let file: PowerCutFile
    let beforeSync: @Sendable () throws(BlockError) -> Void
    init(_ file: PowerCutFile, beforeSync: @escaping @Sendable () throws(BlockError) -> Void) {
        self.file = file
        self.beforeSync = beforeSync
    }
    var plainDescriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.write(bytes, at: offset)
    }
    func sync() throws(BlockError) {
        try beforeSync()
        try file.sync()
    }
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try file.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        file.extents(at: offset, length: length, limit: limit)
    }
}
