import CLinux

// Reading and changing a copy-on-write layer.
extension CopyOnWriteStorage {
    /// How many bytes from `offset` on lie on the same side, at most `length`.
    private func run(at offset: UInt64, length: UInt64) -> (isPresent: Bool, length: UInt64) {
        let block = offset / Self.blockSize
        let blocks = (offset + length - 1) / Self.blockSize - block + 1
        let run = bitmap.run(from: block, limit: blocks)
        return (run.isPresent, min(length, (block + run.count) * Self.blockSize - offset))
    }

    /// Present blocks from the layer, the others from the base.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let run = run(at: position, length: UInt64(buffer.count - done))
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + Int(run.length)])
            if run.isPresent {
                unsafe try data.read(into: part, at: position)
            } else {
                unsafe try base.read(into: part, at: position)
            }
            done += Int(run.length)
        }
    }

    /// The layer's file or the base's, up to where the side changes.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? {
        let run = run(at: offset, length: UInt64(length))
        guard run.isPresent else { return base.plainFile(at: offset, length: Int(run.length)) }
        guard let descriptor = data.plainDescriptor else { return nil }
        return PlainFileRun(descriptor: descriptor, offset: offset, length: Int(run.length))
    }

    /// As the file that holds each part says.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        var result: [BlockExtent] = []
        var done: UInt64 = 0
        while done < length, result.count < limit {
            let run = run(at: offset + done, length: length - done)
            let room = limit - result.count
            let part =
                run.isPresent
                ? data.extents(at: offset + done, length: run.length, limit: room)
                : base.extents(at: offset + done, length: run.length, limit: room)
            result += part
            let covered = part.reduce(0) { $0 + $1.length }
            done += covered
            if covered < run.length { break }
        }
        return result
    }

    /// Calls `body` for each part of a range that lies in one chunk.
    private func forEachChunk(
        at offset: UInt64,
        length: UInt64,
        _ body: (_ chunk: Int, _ offset: UInt64, _ length: UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        var position = offset
        let end = offset + length
        while position < end {
            let chunk = position / Self.chunkSize
            let next = min(end, (chunk + 1) * Self.chunkSize)
            try body(Int(chunk), position, next - position)
            position = next
        }
    }

    /// The bits of the blocks that a range within one chunk touches.
    private func mask(_ offset: UInt64, _ length: UInt64) -> UInt64 {
        let first = offset / Self.blockSize % 64
        let last = (offset + length - 1) / Self.blockSize % 64
        return UInt64.max << first & UInt64.max >> (63 - last)
    }

    /// Into the layer; blocks that are only partly written get the rest of theirs from the base first.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try forEachChunk(at: offset, length: UInt64(bytes.count)) { (chunk, position, length) throws(BlockError) in
            let start = Int(position - offset)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(length)])
            let mask = mask(position, length)
            // Blocks that are all present need no lock: nobody fills them from the base any more.
            if bitmap[chunk] & mask == mask { return unsafe try data.write(part, at: position) }
            try lockingChunk(chunk) { () throws(BlockError) in
                try fillEdges(chunk, position, length)
                unsafe try data.write(part, at: position)
                try setPresent(chunk: chunk, mask: mask)
            }
        }
    }

    /// Copies what lies before and behind a range within its first and last block from the base, where those are not
    /// present yet; the chunk is locked.
    private func fillEdges(_ chunk: Int, _ offset: UInt64, _ length: UInt64) throws(BlockError) {
        let end = offset + length
        let firstBlock = offset / Self.blockSize
        let lastBlock = (end - 1) / Self.blockSize
        let isPresent = { [bitmap] (block: UInt64) in bitmap[chunk] & (1 << (block % 64)) != 0 }
        if !isPresent(firstBlock) { try copyFromBase(firstBlock * Self.blockSize, until: offset) }
        if !isPresent(lastBlock) { try copyFromBase(end, until: min(size, (lastBlock + 1) * Self.blockSize)) }
    }

    private func copyFromBase(_ offset: UInt64, until end: UInt64) throws(BlockError) {
        guard offset < end else { return }
        var block = [UInt8](repeating: 0, count: Int(end - offset))
        var failure: BlockError?
        unsafe block.withUnsafeMutableBytes {
            do throws(BlockError) {
                unsafe try base.read(into: $0, at: offset)
                unsafe try data.write(UnsafeRawBufferPointer($0), at: offset)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Whole blocks become holes in the layer that hide the base; the edges are left as they are.
    public func trim(at offset: UInt64, length: UInt64) throws(BlockError) {
        let start = (offset + Self.blockSize - 1) / Self.blockSize * Self.blockSize
        let end = offset + length == size ? size : (offset + length) / Self.blockSize * Self.blockSize
        guard start < end else { return }
        try zero(at: start, length: end - start, keepsSpace: false)
    }

    /// Whole blocks become holes in the layer, the edges are zeroed by writing.
    public func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try forEachChunk(at: offset, length: length) { (chunk, position, length) throws(BlockError) in
            try lockingChunk(chunk) { () throws(BlockError) in
                try fillEdges(chunk, position, length)
                try data.zero(at: position, length: length, keepsSpace: keepsSpace)
                try setPresent(chunk: chunk, mask: mask(position, length))
            }
        }
    }
}
