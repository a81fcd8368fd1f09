import CLinux

/// Ranges of open files; the rights were checked when they were opened.
extension TreeDescriptor {
    /// Takes room for a range on the disk; the file grows when it is shorter.
    package func allocate(_ offset: UInt64, _ length: UInt64) throws(TreeError) {
        try fallocate(0, offset, length)
    }

    /// Gives the room of a range back; it reads as zeros then.
    package func deallocate(_ offset: UInt64, _ length: UInt64) throws(TreeError) {
        try fallocate(CInt(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), offset, length)
    }

    private func fallocate(_ mode: CInt, _ offset: UInt64, _ length: UInt64) throws(TreeError) {
        guard let start = off_t(exactly: offset), let count = off_t(exactly: length), count > 0,
            off_t.max - start >= count
        else { throw TreeError(length == 0 ? EINVAL : EFBIG) }
        try checked(CLinux.fallocate(number, mode, start, count))
    }

    /// Where the next data or the next hole begins; throws ENXIO when there is none.
    package func seek(_ offset: UInt64, hole: Bool) throws(TreeError) -> UInt64 {
        guard let start = off_t(exactly: offset) else { throw TreeError(ENXIO) }
        // SEEK_HOLE and SEEK_DATA, which Swift does not import.
        let place = lseek(number, start, hole ? 4 : 3)
        guard place >= 0 else { throw TreeError() }
        return UInt64(place)
    }

    /// Copies bytes to another file inside the kernel; how many went, which may be fewer.
    package func copy(
        _ offset: UInt64,
        _ count: Int,
        to other: TreeDescriptor,
        at target: UInt64
    ) throws(TreeError) -> Int {
        guard let source = off_t(exactly: offset), let destination = off_t(exactly: target) else {
            throw TreeError(EFBIG)
        }
        let copied = clinux_copy_range(number, Int64(source), other.number, Int64(destination), count)
        guard copied >= 0 else { throw TreeError() }
        return copied
    }

    /// Makes bytes of this file bytes of another without copying them; 0 is all that follow.
    ///
    /// Throws EOPNOTSUPP where the file system cannot.
    package func clone(
        _ offset: UInt64,
        _ count: UInt64,
        to other: TreeDescriptor,
        at target: UInt64
    ) throws(TreeError) {
        guard clinux_clone_range(number, offset, count, other.number, target) < 0 else { return }
        let why = clinux_errno()
        throw TreeError(why == ENOTTY ? EOPNOTSUPP : why)
    }
}
