import CLinux

/// An open file that is read and written at any place; short transfers are completed, errors are errno numbers.
package final class RandomAccessFile: LayerFile {
    /// The kernel's number; closed with this object.
    package let descriptor: CInt

    /// Opens a file (`flags` as in open(2); new files get mode 0600).
    package init(path: String, flags: CInt) throws(BlockError) {
        descriptor = unsafe clinux_open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BlockError(clinux_errno()) }
    }

    deinit { close(descriptor) }

    package var plainDescriptor: CInt? { descriptor }

    /// Size in bytes, of block devices too.
    package func size() throws(BlockError) -> UInt64 {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw BlockError(clinux_errno()) }
        return UInt64(end)
    }

    /// Makes the file this long, with a hole where it grows.
    package func resize(to size: UInt64) throws(BlockError) {
        guard ftruncate(descriptor, off_t(clamping: size)) == 0 else { throw BlockError(clinux_errno()) }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var done = 0
        while done < buffer.count {
            let count = unsafe clinux_pread(
                descriptor,
                buffer.baseAddress?.advanced(by: done),
                buffer.count - done,
                off_t(offset) + off_t(done)
            )
            if count > 0 {
                done += count
            } else if count == 0 {
                throw BlockError(EIO)  // The file has become shorter than it was when it was opened.
            } else {
                let number = clinux_errno()
                if number != EINTR { throw BlockError(number) }
            }
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe pwrite(
                descriptor,
                bytes.baseAddress?.advanced(by: done),
                bytes.count - done,
                off_t(offset) + off_t(done)
            )
            if count > 0 {
                done += count
            } else {
                let number = count == 0 ? ENOSPC : clinux_errno()
                if number != EINTR { throw BlockError(number) }
            }
        }
    }

    package func write(gathered parts: ArraySlice<UnsafeRawBufferPointer>, at offset: UInt64) throws(BlockError) {
        let vectors = unsafe parts.map {
            unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        let total = unsafe parts.reduce(0) { $0 + $1.count }
        let done = unsafe pwritev(descriptor, vectors, CInt(vectors.count), off_t(offset))
        guard done < total else { return }
        // A disk that is nearly full takes a part, and says why only when it is asked for the rest.
        var skipped = max(done, 0)
        var position = offset
        for index in unsafe parts.indices {
            let part = unsafe parts[index]
            let rest = unsafe UnsafeRawBufferPointer(rebasing: part[min(skipped, part.count)...])
            skipped -= part.count - rest.count
            if unsafe !rest.isEmpty { unsafe try write(rest, at: position + UInt64(part.count - rest.count)) }
            position += UInt64(part.count)
        }
    }

    package func sync() throws(BlockError) {
        while fdatasync(descriptor) != 0 {
            let number = clinux_errno()
            // Pipes and some character devices cannot sync; there is nothing to make durable.
            if number == EINVAL { return }
            // Whatever the reason is (no room for delayed allocation, a quota), dirty pages were lost: a later sync that
            // succeeds proves nothing, unlike after a write that found no room.
            if number != EINTR { throw BlockError(EIO) }
        }
    }

    package func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        let mode = (keepsSpace ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE) | FALLOC_FL_KEEP_SIZE
        while fallocate(descriptor, mode, off_t(offset), off_t(length)) != 0 {
            let number = clinux_errno()
            if number == EOPNOTSUPP || number == ENODEV || number == ENOSYS {
                return try writeZeros(at: offset, length: length)
            }
            if number != EINTR { throw BlockError(number) }
        }
    }

    private func writeZeros(at offset: UInt64, length: UInt64) throws(BlockError) {
        let zeros = [UInt8](repeating: 0, count: Int(min(length, 256 << 10)))
        var done: UInt64 = 0
        while done < length {
            let piece = Int(min(UInt64(zeros.count), length - done))
            try writeArray(zeros, count: piece, at: offset + done)
            done += UInt64(piece)
        }
    }

    private func writeArray(_ bytes: [UInt8], count: Int, at offset: UInt64) throws(BlockError) {
        var failure: BlockError?
        unsafe bytes.withUnsafeBytes {
            do throws(BlockError) {
                unsafe try write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: offset)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Data and holes of a range; a file system that cannot tell says "data".
    package func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        var result: [BlockExtent] = []
        let end = offset + length
        var position = offset
        while position < end, result.count < limit {
            let data = lseek(descriptor, off_t(position), SEEK_DATA)
            if data < 0 {
                // ENXIO: nothing but a hole up to the end of the file.
                result.append(BlockExtent(length: end - position, isData: clinux_errno() != ENXIO))
                break
            }
            if UInt64(data) > position {
                let next = min(UInt64(data), end)
                result.append(BlockExtent(length: next - position, isData: false))
                position = next
                continue
            }
            let hole = lseek(descriptor, off_t(position), SEEK_HOLE)
            let next = hole > off_t(position) ? min(UInt64(hole), end) : end
            result.append(BlockExtent(length: next - position, isData: true))
            position = next
        }
        return result
    }
}

/// One of the files of a copy-on-write layer; the tests put a disk that loses its power in its place.
package protocol LayerFile: AnyObject, Sendable {
    /// The kernel's number, where there is one.
    var plainDescriptor: CInt? { get }
    /// Fills `buffer`; the range exists.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Writes all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Writes all of `parts`, at most 1024, one behind the other from `offset` on.
    func write(gathered parts: ArraySlice<UnsafeRawBufferPointer>, at offset: UInt64) throws(BlockError)
    /// Makes everything written durable.
    func sync() throws(BlockError)
    /// Makes a range read as zeros.
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError)
    /// Data and holes of a range.
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent]
}

extension LayerFile {
    /// One call for each part.
    package func write(gathered parts: ArraySlice<UnsafeRawBufferPointer>, at offset: UInt64) throws(BlockError) {
        var position = offset
        for index in unsafe parts.indices {
            let part = unsafe parts[index]
            unsafe try write(part, at: position)
            position += UInt64(part.count)
        }
    }
}
