import CLinux
import Locking
import Synchronization

/// A private, durable layer of changes over a base that is never written.
///
///     data       slots of 4 KiB, each the room of one block, taken in the order in which blocks are first written
///     live       for each slot the block in it and one (32 bits, little-endian; 0: free), written with each new block:
///                right as long as the kernel runs
///     committed  the same, written by a flush after the data it speaks of is durable: right after a power cut
///
/// An entry is written once, so `committed` is written in place: a torn write mixes new entries with free slots, and the
/// data of the new ones is durable. What a flush acknowledged is therefore there after `kill -9` (by `live`) and after a
/// power cut (by `committed`); later writes may or may not be, as on any disk. New blocks are appended because a file
/// system takes that in a fraction of the time that holes all over a sparse file cost it (docs/decisions/0011-slots.md).
public final class CopyOnWriteStorage: BlockStorage {
    /// Bytes of a block, the unit of the layer.
    public static let blockSize: UInt64 = 4096
    /// Bytes that one leaf of the table covers, and that one stripe lock covers.
    static let chunkSize = SlotTable.leafBlocks * blockSize
    /// Bytes of an entry of the index files.
    private static let entrySize: UInt64 = 4

    /// Which index to believe when a layer is opened.
    package enum Trust: Sendable {
        /// The kernel that wrote the layer still runs: its page cache is complete.
        case live
        /// There was a power cut since: only what was flushed counts.
        case committed
    }

    /// As the base.
    public var size: UInt64 { base.size }
    /// Everything.
    public var capabilities: BlockCapabilities { [.write, .trim, .zero, .shared, .gathering] }
    let base: any BlockStorage
    let data: any LayerFile
    let live: any LayerFile
    private let committed: any LayerFile
    let table: SlotTable
    let slots = UnfairLock(FreeSlots())
    let stripes: [UnfairLock<Void>]
    private let gate: FlushGate
    private let progress = Mutex(Progress())
    /// Kept open as long as the layer is: the lock of its directory.
    private let owner: (any AnyObject & Sendable)?

    /// What of the index is durable.
    private struct Progress {
        /// Entries of the slots below this one are in `committed`, and durable.
        var entries: UInt32 = 0
        /// Whether `committed` may hold entries that were written and never synced.
        var mustSync = true
    }

    /// A layer over `base`; the files have their full size (`dataBytes`, `indexBytes`) already.
    ///
    /// `name` is the layer's for as long as it exists: a flush that failed is not forgotten when it is closed. Throws
    /// EFBIG for a base of 16 TiB or more, EUCLEAN for an index that contradicts itself.
    package init(
        base: any BlockStorage,
        data: any LayerFile,
        live: any LayerFile,
        committed: any LayerFile,
        trust: Trust,
        name: String? = nil,
        owner: (any AnyObject & Sendable)? = nil
    ) throws(BlockError) {
        guard Self.blockCount(base.size) < UInt64(UInt32.max) else { throw BlockError(EFBIG) }
        self.base = base
        self.data = data
        self.live = live
        self.committed = committed
        self.owner = owner
        gate = FlushGate(name)
        stripes = (0..<64).map { _ in UnfairLock(()) }
        table = try SlotTable(blockCount: Self.blockCount(base.size))
        try load(trust)
    }

    private static func blockCount(_ size: UInt64) -> UInt64 { (size + blockSize - 1) / blockSize }

    /// Bytes of `data` for a base of `size` bytes, holes included.
    package static func dataBytes(_ size: UInt64) -> UInt64 { blockCount(size) * blockSize }

    /// Bytes of each index file for a base of `size` bytes.
    package static func indexBytes(_ size: UInt64) -> UInt64 { blockCount(size) * entrySize }

    private func load(_ trust: Trust) throws(BlockError) {
        let count = UInt32(Self.blockCount(size))
        // `live` of another life may hold more than is durable.
        if trust == .committed, count > 0 {
            try live.zero(at: 0, length: UInt64(count) * Self.entrySize, keepsSpace: false)
        }
        var free: [UInt32] = []
        var used: UInt32 = 0
        var slot: UInt32 = 0
        while slot < count {
            let entries = try entries(of: slot..<min(count, slot + 16384), in: trust == .live ? live : committed)
            if trust == .committed, entries.contains(where: { $0 != 0 }) { try write(entries, from: slot, to: live) }
            for (index, entry) in entries.enumerated() where entry != 0 {
                let block = UInt64(entry - 1)
                guard entry <= count, table.run(from: block, limit: 1).slot == nil else { throw BlockError(EUCLEAN) }
                let place = slot + UInt32(index)
                try table.makeRoom(for: block)
                table.set(block, slot: place)
                free += used..<place
                used = place + 1
            }
            slot += UInt32(entries.count)
        }
        slots.withLock { [free] in $0 = FreeSlots(unused: used, returned: free) }
        // What the last server wrote to `committed` and did not sync is written again.
        if trust == .committed { progress.withLock { $0 = Progress(entries: free.first ?? used, mustSync: false) } }
    }

    private func entries(of slots: Range<UInt32>, in file: any LayerFile) throws(BlockError) -> [UInt32] {
        var entries = [UInt32](repeating: 0, count: slots.count)
        var failure: BlockError?
        unsafe entries.withUnsafeMutableBytes {
            do throws(BlockError) {
                unsafe try file.read(into: $0, at: UInt64(slots.lowerBound) * Self.entrySize)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return entries.map { UInt32(littleEndian: $0) }
    }

    func write(_ entries: [UInt32], from slot: UInt32, to file: any LayerFile) throws(BlockError) {
        var failure: BlockError?
        unsafe entries.map(\.littleEndian).withUnsafeBytes {
            do throws(BlockError) { unsafe try file.write($0, at: UInt64(slot) * Self.entrySize) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Runs `body` while no other thread adds blocks to the chunk.
    func lockingChunk(_ chunk: UInt64, _ body: () throws(BlockError) -> Void) throws(BlockError) {
        try stripes[Int(chunk % UInt64(stripes.count))].withLock { _ throws(BlockError) in try body() }
    }

    /// Takes slots for at most `limit` blocks from `block` on, which are in none; all are of one chunk, and it is locked.
    ///
    /// `fill` completes the data of as many blocks as it is told, from the slot it is told; then they are the layer's.
    /// Returns how many.
    func addBlocks(
        _ block: UInt64,
        limit: Int,
        _ fill: (_ slot: UInt32, _ count: Int) throws(BlockError) -> Void
    ) throws(BlockError) -> Int {
        try table.makeRoom(for: block)
        let (first, count) = slots.withLock { $0.take(atMost: limit) }
        do throws(BlockError) {
            try fill(first, count)
            if count == 1 {
                try writeEntry(UInt32(block) + 1, of: first)
            } else {
                try write((0..<UInt32(count)).map { UInt32(block) + 1 + $0 }, from: first, to: live)
            }
        } catch {
            slots.withLock { $0.giveBack(first, count: count) }
            throw error
        }
        for index in 0..<count { table.set(block + UInt64(index), slot: first + UInt32(index)) }
        return count
    }

    /// The usual case: one block, without an array.
    private func writeEntry(_ entry: UInt32, of slot: UInt32) throws(BlockError) {
        var failure: BlockError?
        unsafe withUnsafeBytes(of: entry.littleEndian) {
            do throws(BlockError) { unsafe try live.write($0, at: UInt64(slot) * Self.entrySize) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Data first, then the entries that speak of it; callers at the same time share a pass.
    public func flush() throws(BlockError) {
        try gate.flush { () throws(BlockError) in
            let done = progress.withLock { $0 }
            // Entries that are there now speak of data that is written; those of writes under way are not there yet.
            let end = slots.withLock { $0.unused }
            let entries = done.entries < end ? try entries(of: done.entries..<end, in: live) : []
            try data.sync()
            if !entries.isEmpty || done.mustSync {
                if !entries.isEmpty { try write(entries, from: done.entries, to: committed) }
                try committed.sync()
            }
            let whole = entries.firstIndex(of: 0) ?? entries.count
            progress.withLock { $0 = Progress(entries: done.entries + UInt32(whole), mustSync: false) }
        }
    }
}
