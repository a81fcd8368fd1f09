import CLinux

/// Shows another storage and refuses every change.
public final class ReadOnlyStorage: BlockStorage {
    private let base: any BlockStorage

    /// Wraps `base`.
    public init(_ base: any BlockStorage) { self.base = base }

    /// As below.
    public var size: UInt64 { base.size }
    /// Nothing that changes bytes.
    public var capabilities: BlockCapabilities { base.capabilities.intersection(.shared) }
    /// As below.
    public var preferredBlockSize: UInt32 { base.preferredBlockSize }

    /// As below.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try base.read(into: buffer, at: offset)
    }
    /// Throws EPERM.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        throw BlockError(EPERM)
    }
    /// Nothing to do.
    public func flush() throws(BlockError) {}
    /// Throws EPERM.
    public func trim(at offset: UInt64, length: UInt64) throws(BlockError) { throw BlockError(EPERM) }
    /// Throws EPERM.
    public func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        throw BlockError(EPERM)
    }
    /// As below.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? {
        base.plainFile(at: offset, length: length)
    }
    /// As below.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        base.extents(at: offset, length: length, limit: limit)
    }
}
