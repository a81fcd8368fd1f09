import BlockStorage
import CLinux
import Dispatch
import Synchronization
import Testing

/// A base that keeps whoever asks for its size waiting, ten seconds at most.
private final class GateStorage: BlockStorage {
    enum Gate { case closed, entered, open, gaveUp }
    let gate = Mutex(Gate.closed)

    var size: UInt64 {
        gate.withLock { if $0 == .closed { $0 = .entered } }
        if !wait(for: .open) { gate.withLock { $0 = .gaveUp } }
        return 4096
    }
    var capabilities: BlockCapabilities { .shared }

    func wait(for state: Gate) -> Bool {
        for _ in 0..<10_000 {
            if gate.withLock({ $0 == state }) { return true }
            usleep(1000)
        }
        return false
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 5)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw BlockError(EPERM) }
    func flush() throws(BlockError) {}
    func trim(at offset: UInt64, length: UInt64) throws(BlockError) { throw BlockError(EPERM) }
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) { throw BlockError(EPERM) }
}

@Suite(.timeLimit(.minutes(5))) struct LayersTests {
    /// A thousand nodes that start at once must not wait for each other's disk.
    @Test func aSlowLayerHoldsUpNoOther() throws {
        let directory = try TemporaryDirectory()
        let layers = CopyOnWriteLayers(kernel: "k")
        let slow = GateStorage()
        let opened = Mutex<CopyOnWriteStorage?>(nil)
        let ended = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            let storage = try? layers.open(directory: directory.path + "/slow", over: slow, identity: "a")
            opened.withLock { $0 = storage }
            ended.signal()
        }
        #expect(slow.wait(for: .entered))
        let base = MemoryStorage(pattern(8192))
        let other = try layers.open(directory: directory.path + "/other", over: base, identity: "b")
        #expect(try other.bytes(at: 0, 8192) == pattern(8192))
        try layers.remove(directory: directory.path + "/third")
        slow.gate.withLock { if $0 == .entered { $0 = .open } }
        ended.wait()
        #expect(slow.gate.withLock { $0 } == .open, "the other layer waited for the slow one")
        let storage = try #require(opened.withLock { $0 })
        // Still the same layer, however many others were opened meanwhile.
        #expect(try layers.open(directory: directory.path + "/slow", over: slow, identity: "a") === storage)
    }

    @Test func oneDirectoryIsOpenedOnceByMany() throws {
        let directory = try TemporaryDirectory()
        let layers = CopyOnWriteLayers(kernel: "k")
        let found = Mutex<[CopyOnWriteStorage]>([])
        DispatchQueue.concurrentPerform(iterations: 16) { _ in
            let base = MemoryStorage(pattern(8192))
            guard let storage = try? layers.open(directory: directory.path + "/one", over: base, identity: "b") else {
                return
            }
            found.withLock { $0.append(storage) }
        }
        let all = found.withLock { $0 }
        #expect(all.count == 16)
        #expect(all.allSatisfy { $0 === all.first })
    }
}
