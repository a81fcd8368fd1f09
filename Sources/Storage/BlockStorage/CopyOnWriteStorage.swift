import CLinux
import Synchronization

/// A private, durable layer of changes over a base that is never written.
///
///     data       sparse, same offsets as the base; blocks of 4 KiB that are present hold every byte of theirs
///     live       a bit for each present block, written with each change: right as long as the kernel runs
///     committed  the same, written by a flush after the data it speaks of is durable: right after a power cut
///
/// Bits only ever turn on, so `committed` is written in place: a torn write mixes old and new bits, and the data of
/// both is durable. What a flush acknowledged is therefore there after `kill -9` (by `live`) and after a power cut (by
/// `committed`); later writes may or may not be, as on any disk.
public final class CopyOnWriteStorage: BlockStorage {
    /// Bytes of a block, the unit of the layer.
    public static let blockSize: UInt64 = 4096
    /// Bytes that one word of the bitmap covers, and that one stripe lock covers.
    static let chunkSize: UInt64 = 64 * blockSize

    /// Which bitmap to believe when a layer is opened.
    package enum Trust: Sendable {
        /// The kernel that wrote the layer still runs: its page cache is complete.
        case live
        /// There was a power cut since: only what was flushed counts.
        case committed
    }

    /// As the base.
    public var size: UInt64 { base.size }
    /// Everything.
    public var capabilities: BlockCapabilities { [.write, .trim, .zero, .shared] }
    let base: any BlockStorage
    let data: any LayerFile
    private let live: any LayerFile
    private let committed: any LayerFile
    let bitmap: BlockBitmap
    private let stripes: [StripeLock]
    private let gate: FlushGate
    /// Kept open as long as the layer is: the lock of its directory.
    private let owner: (any AnyObject & Sendable)?

    final class StripeLock: Sendable { let mutex = Mutex(()) }

    /// A layer over `base`; the files have their full size (`bitmapBytes`) already.
    ///
    /// `name` is the layer's for as long as it exists: a flush that failed is not forgotten when it is closed.
    package init(
        base: any BlockStorage,
        data: any LayerFile,
        live: any LayerFile,
        committed: any LayerFile,
        trust: Trust,
        name: String? = nil,
        owner: (any AnyObject & Sendable)? = nil
    ) throws(BlockError) {
        self.base = base
        self.data = data
        self.live = live
        self.committed = committed
        self.owner = owner
        gate = FlushGate(name)
        stripes = (0..<64).map { _ in StripeLock() }
        bitmap = BlockBitmap(blockCount: Self.blockCount(base.size))
        try load(trust)
    }

    static func blockCount(_ size: UInt64) -> UInt64 { (size + blockSize - 1) / blockSize }

    /// Bytes of each bitmap file for a base of `size` bytes.
    package static func bitmapBytes(_ size: UInt64) -> UInt64 { (blockCount(size) + 63) / 64 * 8 }

    private func load(_ trust: Trust) throws(BlockError) {
        var words = [UInt64](repeating: 0, count: BlockBitmap.wordsPerPage)
        for page in 0..<bitmap.pageCount {
            let start = page * BlockBitmap.wordsPerPage
            let count = min(BlockBitmap.wordsPerPage, bitmap.wordCount - start)
            try read(&words, count: count, page: page, from: trust == .live ? live : committed)
            for index in 0..<count { bitmap.store(UInt64(littleEndian: words[index]), at: start + index) }
            if trust == .committed {
                try write(bitmap.wordsOf(page), page: page, to: live)
            } else {
                // What `live` has and `committed` lacks is committed by the next flush.
                try read(&words, count: count, page: page, from: committed)
                if Array(words[..<count]) != bitmap.wordsOf(page) { bitmap.markDirty(page: page) }
            }
        }
    }

    private func read(
        _ words: inout [UInt64],
        count: Int,
        page: Int,
        from file: any LayerFile
    ) throws(BlockError) {
        var failure: BlockError?
        unsafe words.withUnsafeMutableBytes {
            do throws(BlockError) {
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[..<(count * 8)])
                unsafe try file.read(into: part, at: UInt64(page * BlockBitmap.wordsPerPage * 8))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func write(_ words: [UInt64], page: Int, to file: any LayerFile) throws(BlockError) {
        var failure: BlockError?
        unsafe words.withUnsafeBytes {
            do throws(BlockError) {
                unsafe try file.write($0, at: UInt64(page * BlockBitmap.wordsPerPage * 8))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Runs `body` while no other thread adds blocks to the chunk.
    func lockingChunk(_ chunk: Int, _ body: () throws(BlockError) -> Void) throws(BlockError) {
        try stripes[chunk % stripes.count].mutex.withLock { _ throws(BlockError) in try body() }
    }

    /// Makes blocks of a chunk present whose data is complete; the chunk is locked.
    func setPresent(chunk: Int, mask: UInt64) throws(BlockError) {
        let word = bitmap[chunk] | mask
        guard word != bitmap[chunk] else { return }
        let bytes = word.littleEndian
        var failure: BlockError?
        unsafe withUnsafeBytes(of: bytes) {
            do throws(BlockError) { unsafe try live.write($0, at: UInt64(chunk) * 8) } catch { failure = error }
        }
        if let failure { throw failure }
        bitmap.store(word, at: chunk)
        bitmap.markDirty(wordAt: chunk)
    }

    /// Data first, then the bits that speak of it; callers at the same time share a pass.
    public func flush() throws(BlockError) {
        try gate.flush { () throws(BlockError) in
            let pages = bitmap.takeDirtyPages()
            do throws(BlockError) {
                try data.sync()
                for page in pages { try write(page.words, page: page.page, to: committed) }
                if !pages.isEmpty { try committed.sync() }
            } catch {
                for page in pages { bitmap.markDirty(page: page.page) }
                throw error
            }
        }
    }
}
