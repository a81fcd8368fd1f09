import Locking

/// Writes that came together: new blocks go to the layer in one piece, with one entry for all.
///
/// A client that writes all over its disk sends many small writes at once. One by one each costs two calls and a page of its
/// own in the page cache; together they are two calls, and a file system makes large folios of what it gets in one.
extension CopyOnWriteStorage {
    /// Whole blocks that wait to be added, each of them once.
    @safe private struct Gathered {
        /// More would not fit into one call (IOV_MAX is 1024) with some blocks of a write behind them.
        static let limit = 512
        var blocks: [UInt64] = []
        var bytes: [UnsafeRawBufferPointer] = unsafe []

        func contains(anyOf range: Range<UInt64>) -> Bool { blocks.contains { range.contains($0) } }
    }

    /// Fewer writes than this are done one by one: they hold one chunk at a time, so that many connections with few writes
    /// each need not wait for each other.
    package static let fewestGathered = 8

    /// Writes of whole blocks that the layer does not have are done together, all others one by one.
    public func write(together writes: [BlockWrite]) throws(BlockError) {
        guard writes.count >= Self.fewestGathered else {
            for write in writes { unsafe try self.write(write.bytes, at: write.offset) }
            return
        }
        var gathered = Gathered()
        for write in writes {
            let length = unsafe UInt64(write.bytes.count)
            guard length > 0 else { continue }
            let blocks = write.offset / Self.blockSize..<(write.offset + length + Self.blockSize - 1) / Self.blockSize
            // What overlaps is done in the order in which it came.
            if gathered.contains(anyOf: blocks) { try add(&gathered) }
            guard write.offset % Self.blockSize == 0, length % Self.blockSize == 0, isNew(blocks),
                blocks.count + gathered.blocks.count <= Gathered.limit
            else {
                unsafe try self.write(write.bytes, at: write.offset)
                continue
            }
            for (index, block) in blocks.enumerated() {
                let start = index * Int(Self.blockSize)
                gathered.blocks.append(block)
                unsafe gathered.bytes.append(
                    UnsafeRawBufferPointer(rebasing: write.bytes[start..<start + Int(Self.blockSize)])
                )
            }
        }
        try add(&gathered)
    }

    private func isNew(_ blocks: Range<UInt64>) -> Bool {
        let run = table.run(from: blocks.lowerBound, limit: UInt64(blocks.count))
        return run.slot == nil && run.count == UInt64(blocks.count)
    }

    /// Adds what was gathered, and forgets it.
    private func add(_ gathered: inout Gathered) throws(BlockError) {
        let (blocks, bytes) = unsafe (gathered.blocks, gathered.bytes)
        guard !blocks.isEmpty else { return }
        gathered = Gathered()
        // Another connection may have added some of them meanwhile.
        var late: [Int] = []
        let locks = blocks.reduce(into: UInt64(0)) { $0 |= 1 << ($1 / SlotTable.leafBlocks % UInt64(stripes.count)) }
        try lockingStripes(locks) { () throws(BlockError) in
            late = blocks.indices.filter { !isNew(blocks[$0]..<blocks[$0] + 1) }
            guard !late.isEmpty else { return unsafe try addNew(blocks, bytes) }
            let new = blocks.indices.filter { !late.contains($0) }
            unsafe try addNew(new.map { blocks[$0] }, new.map { unsafe bytes[$0] })
        }
        for index in late { unsafe try write(bytes[index], at: blocks[index] * Self.blockSize) }
    }

    /// Adds blocks of which none is in the layer; their chunks are locked.
    private func addNew(_ blocks: [UInt64], _ bytes: [UnsafeRawBufferPointer]) throws(BlockError) {
        for block in blocks { try table.makeRoom(for: block) }
        var done = 0
        while done < blocks.count {
            let (first, count) = slots.withLock { [left = blocks.count - done] in $0.take(atMost: left) }
            let part = done..<done + count
            do throws(BlockError) {
                unsafe try data.write(gathered: bytes[part], at: UInt64(first) * Self.blockSize)
                try write(blocks[part].map { UInt32($0) + 1 }, from: first, to: live)
            } catch {
                slots.withLock { $0.giveBack(first, count: count) }
                throw error
            }
            for (index, block) in blocks[part].enumerated() { table.set(block, slot: first + UInt32(index)) }
            done += count
        }
    }

    /// Runs `body` while no other thread adds blocks to the chunks of these stripes, a bit for each.
    ///
    /// Taken in their order: whoever holds one and waits for another never waits for who waits for the first.
    private func lockingStripes(_ set: UInt64, _ body: () throws(BlockError) -> Void) throws(BlockError) {
        guard set != 0 else { return try body() }
        try stripes[set.trailingZeroBitCount].withLock { _ throws(BlockError) in
            try lockingStripes(set & (set - 1), body)
        }
    }
}
