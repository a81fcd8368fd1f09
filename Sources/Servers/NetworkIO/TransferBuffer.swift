internal import CLinux

/// Memory for the bytes of one connection, given back to the kernel while the connection is idle.
@safe public struct TransferBuffer: ~Copyable {
    /// Where it begins; `capacity` bytes are there until the end of this value's life.
    public let start: UnsafeMutableRawPointer
    /// How many bytes there are.
    public let capacity: Int

    /// Throws `SystemCallError` when there is no memory.
    public init(capacity: Int) throws(SystemCallError) {
        let memory = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe clinux_is_map_failed(memory) == 0 else {
            throw SystemCallError("get \(capacity) bytes for a connection")
        }
        unsafe start = memory
        self.capacity = capacity
    }

    deinit { unsafe munmap(start, capacity) }

    /// A part of the memory; traps when it reaches outside.
    public func part(_ offset: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(offset >= 0 && count >= 0 && offset + count <= capacity)
        return unsafe UnsafeMutableRawBufferPointer(start: start + offset, count: count)
    }

    /// Forgets the contents and gives the pages back.
    public func release() { unsafe madvise(start, capacity, MADV_DONTNEED) }
}
