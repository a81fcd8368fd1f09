import BlockStorage
import CLinux
import Synchronization

/// A file on a disk with a cache that forgets: what was not synced may arrive in any order, in part, or never.
final class PowerCutFile: LayerFile {
    private struct Change {
        var offset: Int
        var bytes: [UInt8]
    }
    private struct State {
        var durable: [UInt8]
        var cached: [UInt8]
        var pending: [Change] = []
    }
    private let state: Mutex<State>

    init(size: Int) {
        state = Mutex(State(durable: .init(repeating: 0, count: size), cached: .init(repeating: 0, count: size)))
    }
    private init(_ bytes: [UInt8]) { state = Mutex(State(durable: bytes, cached: bytes)) }

    var plainDescriptor: CInt? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let bytes = state.withLock { [count = buffer.count] in Array($0.cached[Int(offset)..<Int(offset) + count]) }
        unsafe buffer.copyBytes(from: bytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        change(unsafe Array(bytes), at: Int(offset))
    }

    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        change(.init(repeating: 0, count: Int(length)), at: Int(offset))
    }

    private func change(_ bytes: [UInt8], at offset: Int) {
        state.withLock {
            $0.cached.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            // A disk writes whole sectors: what the cache holds of each after this change.
            for sector in offset / 512...(offset + bytes.count - 1) / 512 {
                let range = sector * 512..<min((sector + 1) * 512, $0.cached.count)
                $0.pending.append(Change(offset: range.lowerBound, bytes: Array($0.cached[range])))
            }
        }
    }

    func sync() throws(BlockError) {
        state.withLock {
            $0.durable = $0.cached
            $0.pending = []
        }
    }

    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        [BlockExtent(length: length, isData: true)]
    }

    /// The file after a power cut: each unsynced sector of 512 bytes may have arrived or not, in any order.
    func afterPowerCut(_ random: inout SeededGenerator) -> PowerCutFile {
        let (durable, pending) = state.withLock { ($0.durable, $0.pending) }
        var bytes = durable
        for change in pending.shuffled(using: &random) where Bool.random(using: &random) {
            bytes.replaceSubrange(change.offset..<change.offset + change.bytes.count, with: change.bytes)
        }
        return PowerCutFile(bytes)
    }
}

/// The three files of a layer on such a disk.
struct PowerCutLayer {
    var data: PowerCutFile
    var live: PowerCutFile
    var committed: PowerCutFile

    init(size: Int) {
        data = PowerCutFile(size: Int(CopyOnWriteStorage.dataBytes(UInt64(size))))
        live = PowerCutFile(size: Int(CopyOnWriteStorage.indexBytes(UInt64(size))))
        committed = PowerCutFile(size: Int(CopyOnWriteStorage.indexBytes(UInt64(size))))
    }

    func open(_ base: any BlockStorage, _ trust: CopyOnWriteStorage.Trust) throws -> CopyOnWriteStorage {
        try CopyOnWriteStorage(base: base, data: data, live: live, committed: committed, trust: trust)
    }

    mutating func cutPower(_ random: inout SeededGenerator) {
        data = data.afterPowerCut(&random)
        live = live.afterPowerCut(&random)
        committed = committed.afterPowerCut(&random)
    }
}
