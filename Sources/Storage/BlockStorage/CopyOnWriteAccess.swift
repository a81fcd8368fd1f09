import CLinux

// Reading and changing a copy-on-write layer.
extension CopyOnWriteStorage {
    /// A range whose bytes lie one after another in the layer's data or in the base.
    private struct Run {
        /// Where it begins in the layer's data; nil for the base.
        var place: UInt64?
        var length: UInt64
    }

    /// The run that begins at `offset`, at most `length` bytes of it.
    private func run(at offset: UInt64, length: UInt64) -> Run {
        let block = offset / Self.blockSize
        let run = table.run(from: block, limit: (offset + length - 1) / Self.blockSize - block + 1)
        return Run(
            place: run.slot.map { UInt64($0) * Self.blockSize + offset % Self.blockSize },
            length: min(length, (block + run.count) * Self.blockSize - offset)
        )
    }

    /// Calls `body` for each run of a range.
    private func forEachRun(
        at offset: UInt64,
        length: UInt64,
        _ body: (_ run: Run, _ offset: UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        var done: UInt64 = 0
        while done < length {
            let run = run(at: offset + done, length: length - done)
            try body(run, offset + done)
            done += run.length
        }
    }

    /// Blocks of the layer from their slots, the others from the base.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try forEachRun(at: offset, length: UInt64(buffer.count)) { (run, position) throws(BlockError) in
            let start = Int(position - offset)
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + Int(run.length)])
            if let place = run.place {
                unsafe try data.read(into: part, at: place)
            } else {
                unsafe try base.read(into: part, at: position)
            }
        }
    }

    /// The layer's file or the base's, up to where the run ends.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? {
        let run = run(at: offset, length: UInt64(length))
        guard let place = run.place else { return base.plainFile(at: offset, length: Int(run.length)) }
        guard let descriptor = data.plainDescriptor else { return nil }
        return PlainFileRun(descriptor: descriptor, offset: place, length: Int(run.length))
    }

    /// As the file that holds each part says.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        var result: [BlockExtent] = []
        var done: UInt64 = 0
        while done < length, result.count < limit {
            let run = run(at: offset + done, length: length - done)
            let room = limit - result.count
            let part =
                run.place.map { data.extents(at: $0, length: run.length, limit: room) }
                ?? base.extents(at: offset + done, length: run.length, limit: room)
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
        _ body: (_ chunk: UInt64, _ offset: UInt64, _ length: UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        var position = offset
        let end = offset + length
        while position < end {
            let chunk = position / Self.chunkSize
            let next = min(end, (chunk + 1) * Self.chunkSize)
            try body(chunk, position, next - position)
            position = next
        }
    }

    /// Into the layer; blocks that are only partly written get the rest of theirs from the base first.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try forEachChunk(at: offset, length: UInt64(bytes.count)) { (chunk, position, length) throws(BlockError) in
            // A run of the layer needs no lock: nobody fills it from the base any more.
            let run = run(at: position, length: length)
            if let place = run.place, run.length == length {
                return unsafe try data.write(bytes.part(position - offset, length), at: place)
            }
            try lockingChunk(chunk) { () throws(BlockError) in
                try forEachRun(at: position, length: length) { (run, position) throws(BlockError) in
                    if let place = run.place {
                        return unsafe try data.write(bytes.part(position - offset, run.length), at: place)
                    }
                    try addRun(at: position, length: run.length) { (place, position, length) throws(BlockError) in
                        unsafe try data.write(bytes.part(position - offset, length), at: place)
                    }
                }
            }
        }
    }

    /// Puts a range of one chunk, of which nothing is in the layer, into it; the chunk is locked.
    ///
    /// `fill` completes the data of each part of it; what lies before and behind the range in its first and last block
    /// comes from the base.
    private func addRun(
        at offset: UInt64,
        length: UInt64,
        _ fill: (_ place: UInt64, _ offset: UInt64, _ length: UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        var position = offset
        let end = offset + length
        while position < end {
            let block = position / Self.blockSize
            let limit = Int((end - 1) / Self.blockSize - block + 1)
            let count = try addBlocks(block, limit: limit) { (slot, count) throws(BlockError) in
                let start = block * Self.blockSize
                let stop = min(end, (block + UInt64(count)) * Self.blockSize)
                let place = UInt64(slot) * Self.blockSize
                try copyFromBase(start, until: position, to: place)
                try fill(place + position - start, position, stop - position)
                let blockEnd = min(size, (stop + Self.blockSize - 1) / Self.blockSize * Self.blockSize)
                try copyFromBase(stop, until: blockEnd, to: place + stop - start)
            }
            position = (block + UInt64(count)) * Self.blockSize
        }
    }

    private func copyFromBase(_ offset: UInt64, until end: UInt64, to place: UInt64) throws(BlockError) {
        guard offset < end else { return }
        var block = [UInt8](repeating: 0, count: Int(end - offset))
        var failure: BlockError?
        unsafe block.withUnsafeMutableBytes {
            do throws(BlockError) {
                unsafe try base.read(into: $0, at: offset)
                unsafe try data.write(UnsafeRawBufferPointer($0), at: place)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Whole blocks of the layer become holes; what the base holds stays as it is, and so do the edges.
    public func trim(at offset: UInt64, length: UInt64) throws(BlockError) {
        let start = (offset + Self.blockSize - 1) / Self.blockSize * Self.blockSize
        let end = offset + length == size ? size : (offset + length) / Self.blockSize * Self.blockSize
        guard start < end else { return }
        try forEachRun(at: start, length: end - start) { (run, _) throws(BlockError) in
            if let place = run.place { try data.zero(at: place, length: run.length, keepsSpace: false) }
        }
    }

    /// Blocks of the layer become holes, as new ones do; the edges are zeroed exactly.
    public func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try forEachChunk(at: offset, length: length) { (chunk, position, length) throws(BlockError) in
            try lockingChunk(chunk) { () throws(BlockError) in
                try forEachRun(at: position, length: length) { (run, position) throws(BlockError) in
                    if let place = run.place {
                        return try data.zero(at: place, length: run.length, keepsSpace: keepsSpace)
                    }
                    try addRun(at: position, length: run.length) { (place, _, length) throws(BlockError) in
                        try data.zero(at: place, length: length, keepsSpace: keepsSpace)
                    }
                }
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// `length` bytes from `start` on.
    fileprivate func part(_ start: UInt64, _ length: UInt64) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: self[Int(start)..<Int(start + length)])
    }
}
