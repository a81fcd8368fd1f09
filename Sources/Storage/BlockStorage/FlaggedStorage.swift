import CLinux

/// Shows another storage, whose unflushed writes a `DirtyFlag` tells of.
public final class FlaggedStorage: BlockStorage {
    private let base: any BlockStorage
    private let flag: DirtyFlag

    /// Wraps `base`.
    public init(_ base: any BlockStorage, flag: DirtyFlag) {
        self.base = base
        self.flag = flag
        flag.resume(base)
    }

    /// As below.
    public var size: UInt64 { base.size }
    /// As below.
    public var capabilities: BlockCapabilities { base.capabilities }
    /// As below.
    public var preferredBlockSize: UInt32 { base.preferredBlockSize }

    /// As below.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try base.read(into: buffer, at: offset)
    }
    /// As below, flagged.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try flag.during(base) { () throws(BlockError) in unsafe try base.write(bytes, at: offset) }
    }
    /// As below, flagged.
    public func write(together writes: [BlockWrite]) throws(BlockError) {
        try flag.during(base) { () throws(BlockError) in try base.write(together: writes) }
    }
    /// As below.
    public func flush() throws(BlockError) { try base.flush() }
    /// As below, flagged.
    public func trim(at offset: UInt64, length: UInt64) throws(BlockError) {
        try flag.during(base) { () throws(BlockError) in try base.trim(at: offset, length: length) }
    }
    /// As below, flagged.
    public func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try flag.during(base) { () throws(BlockError) in
            try base.zero(at: offset, length: length, keepsSpace: keepsSpace)
        }
    }
    /// As below: it is durable by itself.
    public func grow(to size: UInt64) throws(BlockError) { try base.grow(to: size) }
    /// As below.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? {
        base.plainFile(at: offset, length: length)
    }
    /// As below.
    public func readAhead(at offset: UInt64, length: UInt64) { base.readAhead(at: offset, length: length) }
    /// As below.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        base.extents(at: offset, length: length, limit: limit)
    }
}
