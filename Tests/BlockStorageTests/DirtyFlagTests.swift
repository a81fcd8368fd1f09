import CLinux
import Dispatch
import Synchronization
import Testing

@testable import BlockStorage

/// Bytes in memory, and what the flag said at each write and flush.
private final class WatchedStorage: BlockStorage {
    let flag: String
    let bytes = Mutex([UInt8](repeating: 0, count: 4096))
    let unflagged = Atomic(0)
    let flushes = Atomic(0)
    let failure = Mutex<BlockError?>(nil)

    init(flag: String) { self.flag = flag }
    var size: UInt64 { 4096 }
    var capabilities: BlockCapabilities { [.write, .shared] }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        bytes.withLock { unsafe buffer.copyBytes(from: $0[Int(offset)..<Int(offset) + buffer.count]) }
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if state(of: flag) != "dirty" { unflagged.add(1, ordering: .relaxed) }
    }
    func flush() throws(BlockError) {
        if let failure = failure.withLock(\.self) { throw failure }
        if state(of: flag) != "dirty" { unflagged.add(1, ordering: .relaxed) }
        flushes.add(1, ordering: .relaxed)
    }
    func trim(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {}
}

private func state(of path: String) -> String? {
    (try? readFile(path)).flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ").first.map(String.init) }
}

/// Waits for a state of the flag on the disk, ten seconds at most.
private func wait(_ path: String, for wanted: String) -> Bool {
    for _ in 0..<10_000 {
        if state(of: path) == wanted { return true }
        usleep(1000)
    }
    return false
}

@Suite(.timeLimit(.minutes(5))) struct DirtyFlagTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/flag"
    }

    @Test func aWriteIsFlaggedUntilItIsFlushedInAPause() throws {
        let base = WatchedStorage(flag: path)
        let storage = FlaggedStorage(base, flag: try DirtyFlag(path: path, kernel: "a", quietMilliseconds: 20))
        #expect(state(of: path) == nil, "who writes nothing costs nothing")
        for _ in 0..<3 {
            try storage.put([1], at: 0)
            #expect(wait(path, for: "clean"))
        }
        #expect(base.flushes.load(ordering: .relaxed) == 3)
        #expect(base.unflagged.load(ordering: .relaxed) == 0)
    }

    /// Writers that meet the moment in which the flag is taken back set it again before they write.
    @Test func noWriteSlipsThrough() throws {
        let base = WatchedStorage(flag: path)
        let storage = FlaggedStorage(base, flag: try DirtyFlag(path: path, kernel: "a", quietMilliseconds: 1))
        let failures = Atomic(0)
        let pauses = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 4) { writer in
            var random = SeededGenerator(state: UInt64(writer))
            for _ in 0..<400 {
                do { try storage.put([1], at: 0) } catch { failures.add(1, ordering: .relaxed) }
                let pause = UInt32.random(in: 0..<3000, using: &random)
                if pause > 1500 {
                    usleep(pause)
                    if state(of: path) == "clean" { pauses.add(1, ordering: .relaxed) }
                }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(base.unflagged.load(ordering: .relaxed) == 0)
        #expect(pauses.load(ordering: .relaxed) > 0, "it was never taken back: nothing was tried")
        #expect(wait(path, for: "clean"))
    }

    @Test func onlyAnotherKernelFindsLostWrites() throws {
        let base = WatchedStorage(flag: path)
        func flag(_ kernel: String) throws -> DirtyFlag {
            try DirtyFlag(path: path, kernel: kernel, quietMilliseconds: 3_600_000)
        }
        try FlaggedStorage(base, flag: flag("a")).put([1], at: 0)
        #expect(try !flag("a").hasLostWrites)
        #expect(try flag("b").hasLostWrites)
        #expect(try flag("b").hasLostWrites, "still, however often it is asked")

        // What an earlier run of the server left under this kernel is made durable by the next.
        let next = try flag("a")
        let storage = FlaggedStorage(base, flag: next)
        #expect(try next.settle())
        #expect(state(of: path) == "clean")
        #expect(try !flag("b").hasLostWrites)
        try storage.put([1], at: 0)
        #expect(try flag("b").hasLostWrites)
    }

    @Test func whatCannotBeFlushedStaysFlagged() throws {
        let base = WatchedStorage(flag: path)
        base.failure.withLock { $0 = BlockError(EIO) }
        let flag = try DirtyFlag(path: path, kernel: "a", quietMilliseconds: 3_600_000)
        try FlaggedStorage(base, flag: flag).put([1], at: 0)
        #expect(throws: BlockError(EIO)) { try flag.settle() }
        #expect(try DirtyFlag(path: path, kernel: "b").hasLostWrites)
    }

    /// Nothing is written before the flag is durable, so a flag that is not whole flags nothing.
    @Test func aTornFlagIsNone() throws {
        for bytes in [[], Array("dirty".utf8), [UInt8](repeating: 0, count: 64)] {
            try writeFile(path, bytes)
            #expect(try !DirtyFlag(path: path, kernel: "b").hasLostWrites)
        }
    }

    @Test func aFlagThatCannotBeSetRefusesTheWrite() throws {
        let base = WatchedStorage(flag: path)
        let flag = try DirtyFlag(path: directory.path + "/missing/flag", kernel: "a")
        #expect(throws: BlockError(ENOENT)) { try FlaggedStorage(base, flag: flag).put([1], at: 0) }
        #expect(base.unflagged.load(ordering: .relaxed) == 0)
    }
}
