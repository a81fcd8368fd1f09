import CLinux

/// A directory whose files can be opened by untrusted relative paths: the kernel refuses what would leave it.
public final class ConfinedDirectory: Sendable {
    /// Where it is, for messages.
    public let path: String
    private let descriptor: FileDescriptor

    /// Opens the directory.
    ///
    /// Throws `SystemCallError`.
    public init(_ path: String) throws {
        self.path = path
        let flags = O_PATH | O_DIRECTORY | O_CLOEXEC
        descriptor = try FileDescriptor("open directory \(path)", unsafe clinux_open(path, flags, 0))
    }

    /// An open regular file and what fstat says about it.
    public struct File: Sendable {
        /// The file, open for reading.
        public var descriptor: FileDescriptor
        /// Its size in bytes.
        public var size: UInt64
        /// The time of its last change, in seconds since 1970.
        public var modified: Int
        /// Nanoseconds of that time.
        public var modifiedNanoseconds: Int
        /// The device and inode, which name it while it exists.
        public var identity: (device: UInt64, inode: UInt64)
    }

    /// Opens a regular file below the directory for reading.
    ///
    /// Links are followed as long as they stay below it. Throws `SystemCallError`: ENOENT, EACCES, EXDEV for a path that
    /// leads out, EISDIR for a directory, EINVAL for anything else that is no file.
    public func open(_ path: String) throws(SystemCallError) -> File {
        // Without O_NONBLOCK the open of a named pipe would wait for its writer.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let file = try FileDescriptor("open \(path)", unsafe clinux_open_beneath(descriptor.number, path, flags))
        return try Self.describe(file, path)
    }

    /// What fstat says about an open file.
    ///
    /// Throws as `open` when it is no regular file.
    public static func describe(_ file: FileDescriptor, _ path: String) throws(SystemCallError) -> File {
        var status = stat()
        try check("look at \(path)", unsafe fstat(file.number, &status))
        switch status.st_mode & mode_t(S_IFMT) {
        case mode_t(S_IFREG): break
        case mode_t(S_IFDIR): throw SystemCallError("open \(path)", number: EISDIR)
        default: throw SystemCallError("open \(path)", number: EINVAL)
        }
        return File(
            descriptor: file,
            size: UInt64(max(0, status.st_size)),
            modified: status.st_mtim.tv_sec,
            modifiedNanoseconds: status.st_mtim.tv_nsec,
            identity: (UInt64(status.st_dev), UInt64(status.st_ino))
        )
    }
}
