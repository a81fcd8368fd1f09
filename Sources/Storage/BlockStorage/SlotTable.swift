import CLinux
import Synchronization

/// In which slot of a layer's data each block lies, readable without a lock.
///
/// An entry is set once, by one thread at a time (the stripe lock of its chunk), and stays. Entries live in leaves of 64
/// that exist from their first entry on: a layer costs memory for what it holds, and eight bytes for each chunk of its base.
@safe final class SlotTable: Sendable {
    /// Blocks of a leaf.
    static let leafBlocks: UInt64 = 64
    /// Slot and one; 0 while the block is not in the layer.
    private typealias Leaf = UnsafeMutablePointer<Atomic<UInt32>>

    private let blockCount: UInt64
    private let leafCount: Int
    // Owned by this object from init to deinit; the elements are atomics, so sharing the pointers is safe.
    private nonisolated(unsafe) let leaves: UnsafeMutablePointer<Atomic<Leaf?>>

    /// An empty table for `blockCount` blocks.
    init(blockCount: UInt64) throws(BlockError) {
        self.blockCount = blockCount
        leafCount = Int((blockCount + Self.leafBlocks - 1) / Self.leafBlocks)
        // Zeros are nil; pages that nobody touches take no memory.
        guard let memory = unsafe calloc(max(leafCount, 1), MemoryLayout<Atomic<Leaf?>>.stride) else {
            throw BlockError(ENOMEM)
        }
        unsafe leaves = memory.assumingMemoryBound(to: Atomic<Leaf?>.self)
    }

    deinit {
        // Atomics of integers and pointers need no deinitialization.
        for index in 0..<leafCount { if let leaf = unsafe leaf(index) { unsafe free(leaf) } }
        unsafe free(leaves)
    }

    private func leaf(_ index: Int) -> Leaf? {
        precondition(index >= 0 && index < leafCount)
        return unsafe leaves[index].load(ordering: .acquiring)
    }

    private func entry(_ block: UInt64) -> UInt32 {
        guard let leaf = unsafe leaf(Int(block / Self.leafBlocks)) else { return 0 }
        return unsafe leaf[Int(block % Self.leafBlocks)].load(ordering: .acquiring)
    }

    /// Makes room for the entry of `block` and of all others of its leaf; the caller holds the lock of their chunk.
    ///
    /// Throws ENOMEM.
    func makeRoom(for block: UInt64) throws(BlockError) {
        let index = Int(block / Self.leafBlocks)
        guard unsafe leaf(index) == nil else { return }
        guard let memory = unsafe calloc(Int(Self.leafBlocks), MemoryLayout<Atomic<UInt32>>.stride) else {
            throw BlockError(ENOMEM)
        }
        unsafe leaves[index].store(memory.assumingMemoryBound(to: Atomic<UInt32>.self), ordering: .releasing)
    }

    /// Says that `block`, for which there is room, lies in `slot`; readers that see it also see the data written before.
    func set(_ block: UInt64, slot: UInt32) {
        let leaf = unsafe leaf(Int(block / Self.leafBlocks))
        unsafe leaf?[Int(block % Self.leafBlocks)].store(slot + 1, ordering: .releasing)
    }

    /// Blocks in a row that are alike.
    struct Run {
        /// Where the first one lies, the others follow it; nil when none of them is in the layer.
        var slot: UInt32?
        /// How many, positive.
        var count: UInt64
    }

    /// How many blocks from `block` on, at most `limit` (positive), lie in slots one after another, or in none.
    func run(from block: UInt64, limit: UInt64) -> Run {
        precondition(limit <= blockCount && block <= blockCount - limit)
        let first = entry(block)
        var count: UInt64 = 1
        while count < limit {
            let next = block + count
            if first == 0, unsafe leaf(Int(next / Self.leafBlocks)) == nil {
                count += Self.leafBlocks - next % Self.leafBlocks
                continue
            }
            guard entry(next) == (first == 0 ? 0 : first + UInt32(count)) else { break }
            count += 1
        }
        return Run(slot: first == 0 ? nil : first - 1, count: min(count, limit))
    }
}

/// Which slots of a layer's data are free.
struct FreeSlots {
    /// Slots whose index entries lie in one page of the index.
    static let indexPage: UInt32 = 1024
    /// From here on no slot was ever used.
    private(set) var unused: UInt32
    /// Free ones below `unused`, the highest first.
    private var returned: [UInt32]

    /// `returned` in any order.
    init(unused: UInt32 = 0, returned: [UInt32] = []) {
        self.unused = unused
        self.returned = returned.sorted(by: >)
    }

    /// Takes slots that lie one after another, at least one and at most `limit`.
    ///
    /// They never cross a page of the index, so that writing their entries happens whole or not at all. Slots that were
    /// given back go first: no more are ever used than the base has blocks.
    mutating func take(atMost limit: Int) -> (first: UInt32, count: Int) {
        var count = 1
        guard let first = returned.popLast() else {
            let first = unused
            count = min(limit, Int(Self.indexPage - first % Self.indexPage))
            unused += UInt32(count)
            return (first, count)
        }
        while count < limit, returned.last == first + UInt32(count), returned.last.map({ $0 % Self.indexPage }) != 0 {
            returned.removeLast()
            count += 1
        }
        return (first, count)
    }

    /// Gives back slots that were taken and whose entries were never written.
    mutating func giveBack(_ first: UInt32, count: Int) {
        for offset in (0..<UInt32(count)).reversed() { returned.append(first + offset) }
    }
}
