import CLinux

/// A row of bytes that can be read and, where it says so, written; it never becomes shorter.
///
/// Calls block; they come from several threads at once. A range never reaches past `size`: who calls checks that first
/// (a layer may trap on it). What a caller of `flush` gets back is durable: every write that had returned before.
/// Layers (read-only, copy-on-write, faults) wrap another storage and speak the same interface.
public protocol BlockStorage: AnyObject, Sendable {
    /// Size in bytes.
    var size: UInt64 { get }
    /// What it can do; a call that is not announced throws ENOTSUP.
    var capabilities: BlockCapabilities { get }
    /// The unit that costs least, in bytes (power of two).
    var preferredBlockSize: UInt32 { get }
    /// Fills `buffer` with the bytes from `offset` on.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Replaces the bytes from `offset` on.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Does writes that came together, in this order where they overlap; when it throws, some are done and others not.
    func write(together writes: [BlockWrite]) throws(BlockError)
    /// Makes every write that has returned durable. Callers at the same time share one pass.
    func flush() throws(BlockError)
    /// Gives up the bytes of a range: afterwards each block of it reads as before or as zeros.
    func trim(at offset: UInt64, length: UInt64) throws(BlockError)
    /// Makes a range read as zeros; with `keepsSpace` later writes to it need no new room.
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError)
    /// Makes it this long, in bytes, with zeros at the end; durable when it returns. Throws EPERM for less than it has.
    func grow(to size: UInt64) throws(BlockError)
    /// A plain file that holds the bytes from `offset` on, for sendfile(2); nil where there is none.
    ///
    /// The run may be shorter than `length` but not empty; its descriptor is good while the storage lives.
    func plainFile(at offset: UInt64, length: Int) -> PlainFileRun?
    /// Asks for a range to be read ahead; a hint, nothing waits for it.
    func readAhead(at offset: UInt64, length: UInt64)
    /// What is known about a range, in order and without gaps from `offset` on; at least one, at most `limit` extents.
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent]
}

/// What a storage can do.
public struct BlockCapabilities: OptionSet, Sendable {
    /// The bits.
    public var rawValue: UInt8
    /// The set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// `write` and `flush`.
    public static let write = BlockCapabilities(rawValue: 1)
    /// `trim`.
    public static let trim = BlockCapabilities(rawValue: 2)
    /// `zero` without sending zeros through the caller.
    public static let zero = BlockCapabilities(rawValue: 4)
    /// A flush by one user covers the writes of all, and all see the same bytes.
    public static let shared = BlockCapabilities(rawValue: 8)
    /// Writes that come together cost less than one after another.
    public static let gathering = BlockCapabilities(rawValue: 16)
    /// `grow`.
    public static let grow = BlockCapabilities(rawValue: 32)
}

/// Bytes, and where they go in a storage.
@safe public struct BlockWrite {
    /// What is written; good until the call that takes it returns.
    public var bytes: UnsafeRawBufferPointer
    /// Where it begins in the storage, in bytes.
    public var offset: UInt64

    /// A write of `bytes` at `offset`.
    public init(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        unsafe self.bytes = bytes
        self.offset = offset
    }
}

/// A part of a storage that lies in a plain file.
public struct PlainFileRun: Equatable, Sendable {
    /// The open file.
    public var descriptor: CInt
    /// Where the run begins in the file, in bytes.
    public var offset: UInt64
    /// How long it is, in bytes; positive.
    public var length: Int
}

/// A part of a storage and what is known about it.
public struct BlockExtent: Equatable, Sendable {
    /// Bytes, positive.
    public var length: UInt64
    /// Whether it holds data; else it reads as zeros and takes up no room.
    public var isData: Bool

    /// An extent.
    public init(length: UInt64, isData: Bool) {
        self.length = length
        self.isData = isData
    }
}

/// Why a storage could not do what was asked.
public struct BlockError: Error, Equatable, Sendable {
    /// The error number (errno).
    public var number: CInt
    /// The failure with this errno.
    public init(_ number: CInt) { self.number = number }
}

extension BlockStorage {
    /// 4 KiB, the page and file system block of every node.
    public var preferredBlockSize: UInt32 { 4096 }

    /// One after another.
    public func write(together writes: [BlockWrite]) throws(BlockError) {
        for write in writes { unsafe try self.write(write.bytes, at: write.offset) }
    }

    /// Throws ENOTSUP.
    public func grow(to size: UInt64) throws(BlockError) { throw BlockError(ENOTSUP) }

    /// No plain file behind it.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? { nil }

    /// Reads the plain file behind it ahead, where there is one.
    public func readAhead(at offset: UInt64, length: UInt64) {
        var (offset, left) = (offset, length)
        while left > 0, let run = plainFile(at: offset, length: Int(clamping: left)) {
            posix_fadvise(run.descriptor, off_t(run.offset), off_t(run.length), POSIX_FADV_WILLNEED)
            offset += UInt64(run.length)
            left -= UInt64(run.length)
        }
    }

    /// Everything counts as data.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        [BlockExtent(length: length, isData: true)]
    }
}
