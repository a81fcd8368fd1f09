import Synchronization

/// Which blocks a layer holds: one bit for each, 64 blocks in a word, readable without a lock.
///
/// A word is changed by one thread at a time (the stripe lock of its blocks); bits only ever turn on. Pages of words that
/// changed since the last commit are remembered, so that a commit writes little.
@safe final class BlockBitmap: Sendable {
    static let wordsPerPage = 512
    let wordCount: Int
    let pageCount: Int
    // Owned by this object from init to deinit; the elements are atomics, so sharing the pointers is safe.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    private nonisolated(unsafe) let dirty: UnsafeMutablePointer<Atomic<Bool>>

    init(blockCount: UInt64) {
        wordCount = Int((blockCount + 63) / 64)
        pageCount = (wordCount + Self.wordsPerPage - 1) / Self.wordsPerPage
        unsafe words = .allocate(capacity: max(wordCount, 1))
        for index in 0..<wordCount { unsafe (words + index).initialize(to: Atomic(0)) }
        unsafe dirty = .allocate(capacity: max(pageCount, 1))
        for index in 0..<pageCount { unsafe (dirty + index).initialize(to: Atomic(false)) }
    }

    deinit {
        // Atomics of integers need no deinitialization.
        unsafe words.deallocate()
        unsafe dirty.deallocate()
    }

    subscript(index: Int) -> UInt64 {
        precondition(index >= 0 && index < wordCount)
        return unsafe words[index].load(ordering: .acquiring)
    }

    /// Stores a word; readers that see it also see the data that was written before.
    func store(_ word: UInt64, at index: Int) {
        precondition(index >= 0 && index < wordCount)
        unsafe words[index].store(word, ordering: .releasing)
    }

    func markDirty(wordAt index: Int) { markDirty(page: index / Self.wordsPerPage) }

    func markDirty(page: Int) {
        precondition(page >= 0 && page < pageCount)
        unsafe dirty[page].store(true, ordering: .releasing)
    }

    /// The changed pages, each as a copy of its words; they count as clean from now on.
    func takeDirtyPages() -> [(page: Int, words: [UInt64])] {
        var result: [(page: Int, words: [UInt64])] = []
        for page in 0..<pageCount where unsafe dirty[page].exchange(false, ordering: .acquiringAndReleasing) {
            result.append((page, wordsOf(page)))
        }
        return result
    }

    /// The words of a page, in the byte order of the files.
    func wordsOf(_ page: Int) -> [UInt64] {
        let start = page * Self.wordsPerPage
        return (start..<min(start + Self.wordsPerPage, wordCount)).map { self[$0].littleEndian }
    }

    /// Whether `block` is present, and how many blocks from it on (at most `limit`, positive) are alike.
    func run(from block: UInt64, limit: UInt64) -> (isPresent: Bool, count: UInt64) {
        var index = Int(block / 64)
        let shift = block % 64
        let first = self[index] >> shift
        let isPresent = first & 1 == 1
        var count = min(UInt64((isPresent ? ~first : first).trailingZeroBitCount), 64 - shift)
        guard count == 64 - shift else { return (isPresent, min(count, limit)) }
        let full: UInt64 = isPresent ? .max : 0
        while count < limit {
            index += 1
            guard index < wordCount else { break }
            let word = self[index]
            guard word == full else {
                count += UInt64((isPresent ? ~word : word).trailingZeroBitCount)
                break
            }
            count += 64
        }
        return (isPresent, min(count, limit))
    }
}
