import CLinux
import Synchronization

/// A file or a block device.
public final class FileStorage: BlockStorage {
    /// Size in bytes when it was opened, or since it grew.
    public var size: UInt64 { length.load(ordering: .acquiring) }
    /// Everything but `write` and its like when opened read-only.
    public let capabilities: BlockCapabilities
    /// The smallest block of a squashfs or ext4 image that is worth a request, in bytes.
    public let preferredBlockSize: UInt32 = 4096
    private let file: RandomAccessFile
    private let gate: FlushGate
    private let length: Atomic<UInt64>
    /// Held while it grows.
    private let growing = Mutex(())

    /// Opens `path`.
    ///
    /// Throws `BlockStorageOpenError` with the reason.
    public init(path: String, writable: Bool) throws(BlockStorageOpenError) {
        do throws(BlockError) {
            file = try RandomAccessFile(path: path, flags: writable ? O_RDWR : O_RDONLY)
            length = Atomic(try file.size())
            gate = FlushGate(writable ? path : nil)
        } catch { throw BlockStorageOpenError(path: path, reason: error.reason) }
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0, status.st_mode & mode_t(S_IFMT) != mode_t(S_IFDIR) else {
            throw BlockStorageOpenError(path: path, reason: "is a directory; name a file or a block device")
        }
        // A block device has the size it has.
        let mayGrow = status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG)
        capabilities =
            writable ? BlockCapabilities([.write, .trim, .zero, .shared]).union(mayGrow ? .grow : []) : [.shared]
    }

    /// Forgets that flushes of the file at `path` failed: another file is there now.
    public static func forgetFailure(of path: String) { FlushGate.forget(path) }

    /// Reads from the page cache or the disk.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.read(into: buffer, at: offset)
    }

    /// Writes to the page cache.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard capabilities.contains(.write) else { throw BlockError(EPERM) }
        unsafe try file.write(bytes, at: offset)
    }

    /// fdatasync; nothing to do for a read-only file.
    public func flush() throws(BlockError) {
        guard capabilities.contains(.write) else { return }
        try gate.flush { () throws(BlockError) in try file.sync() }
    }

    /// Punches a hole.
    public func trim(at offset: UInt64, length: UInt64) throws(BlockError) {
        try zero(at: offset, length: length, keepsSpace: false)
    }

    /// Punches a hole, or zeroes the range in place.
    public func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        guard capabilities.contains(.write) else { throw BlockError(EPERM) }
        try file.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }

    /// Makes the file longer, with a hole at its end.
    public func grow(to size: UInt64) throws(BlockError) {
        guard capabilities.contains(.grow) else { throw BlockError(ENOTSUP) }
        try growing.withLock { _ throws(BlockError) in
            guard size >= length.load(ordering: .acquiring) else { throw BlockError(EPERM) }
            try file.resize(to: size)
            try gate.flush { () throws(BlockError) in try file.sync() }
            length.store(size, ordering: .releasing)
        }
    }

    /// The file itself.
    public func plainFile(at offset: UInt64, length: Int) -> PlainFileRun? {
        PlainFileRun(descriptor: file.descriptor, offset: offset, length: length)
    }

    /// By SEEK_DATA and SEEK_HOLE.
    public func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        file.extents(at: offset, length: length, limit: limit)
    }
}

/// A storage cannot be opened.
public struct BlockStorageOpenError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or directory.
    public var path: String
    /// What is wrong, and where it helps, how to mend it.
    public var reason: String

    /// A failure to open `path`.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// One line.
    public var description: String { "\(path): \(reason)" }
}

extension BlockError: CustomStringConvertible {
    /// The C library's text.
    public var reason: String { unsafe String(cString: strerror(number)) }
    /// The C library's text.
    public var description: String { reason }
}
