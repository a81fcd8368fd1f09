package import CLinux
import Synchronization

/// One exported directory with everything below it, served by the kernel with the caller's own rights.
///
/// Neutral to the protocol: files are found by handles or by names in directories, one after another; no path is ever
/// walked and no symbolic link followed. Every call takes the calling thread's `ThreadIdentity`.
package final class FileTree: Sendable {
    /// The number of the export that its handles carry.
    package let identity: UInt64
    /// The handle of the directory itself.
    package let root: FileHandle
    /// Where the directory is, for messages.
    package let path: String
    let cache: ObjectCache
    private let key: HandleKey
    /// Tells this tree from all others of this process, also from one of the same directory.
    private let number: UInt64
    private static let lastNumber = Atomic<UInt64>(0)
    /// The directory itself, for open_by_handle_at and statvfs.
    let top: TreeDescriptor
    /// This process's open files (/proc/self/fd), to open them anew.
    let openFiles: TreeDescriptor
    /// Whether the tree is a mount of its own, where no other file system can be reached.
    private let isOwnMount: Bool
    private let device: dev_t

    /// Exports `path`, which must be a directory of a file system that can find files by handles.
    ///
    /// The tree becomes a mount of its own where the kernel lets us, so that nothing mounted below it is reached. Throws
    /// `TreeRefusal` with the reason.
    package init(path: String, identity: UInt64, key: HandleKey, cache: ObjectCache) throws(TreeRefusal) {
        self.path = path
        self.identity = identity
        self.key = key
        self.cache = cache
        number = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let own = unsafe clinux_open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
        guard own >= 0 else { throw TreeRefusal("serve files without /proc", clinux_errno()) }
        openFiles = TreeDescriptor(own)
        var tree = unsafe clinux_clone_tree(path)
        isOwnMount = tree >= 0
        if tree < 0 { tree = unsafe clinux_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
        guard tree >= 0 else { throw TreeRefusal("export \(path)", clinux_errno()) }
        let clone = TreeDescriptor(tree)
        let opened = unsafe clinux_openat(clone.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard opened >= 0 else { throw TreeRefusal("export \(path)", clinux_errno()) }
        top = TreeDescriptor(opened)
        do throws(TreeError) {
            device = try FileAttributes.of(opened).status.st_dev
            let kernel = try Self.kernelHandle(opened)
            root = FileHandle(export: identity, kernel: kernel, key: key)
            let again = unsafe withUnsafeBytes(of: kernel.words) {
                unsafe clinux_open_handle(
                    opened,
                    $0.baseAddress,
                    UInt32(kernel.count),
                    CInt(kernel.type),
                    O_PATH | O_CLOEXEC
                )
            }
            try checked(again)
            close(again)
        } catch {
            throw Self.refusal(path, error.number)
        }
    }

    private static func refusal(_ path: String, _ number: CInt) -> TreeRefusal {
        switch number {
        case EOPNOTSUPP, EOVERFLOW, ESTALE, EINVAL:
            TreeRefusal(
                text: "\(path) cannot be exported: its file system does not find files by handles"
                    + " (an overlay needs the mount options nfs_export=on,index=on)"
            )
        case EPERM:
            TreeRefusal(text: "\(path) cannot be exported: opening files by handles needs root (CAP_DAC_READ_SEARCH)")
        default: TreeRefusal("export \(path)", number)
        }
    }

    private static func kernelHandle(_ descriptor: CInt) throws(TreeError) -> KernelHandle {
        var handle = KernelHandle()
        var count = UInt32(FileHandle.kernelLimit)
        var type: CInt = 0
        let result = unsafe withUnsafeMutableBytes(of: &handle.words) {
            unsafe clinux_handle_of(descriptor, "", AT_EMPTY_PATH, $0.baseAddress, &count, &type)
        }
        try checked(result)
        guard let type = UInt16(exactly: type) else { throw TreeError(EOPNOTSUPP) }
        handle.count = Int(count)
        handle.type = type
        return handle
    }

    // MARK: Handles

    /// The file of a handle.
    ///
    /// Throws `badHandle` for a handle that is not ours or not this export's, `stale` when the file is gone.
    package func object(
        _ handle: FileHandle,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        guard handle.export == identity else { throw .badHandle }
        if let object = cache.find(handle, tree: number) { return object }
        guard handle.isSealed(by: key) else { throw .badHandle }
        try thread.becomeRoot()
        let descriptor = opened(handle, O_PATH)
        try checked(descriptor)
        let pin = TreeDescriptor(descriptor)
        let attributes = try FileAttributes.of(descriptor)
        guard attributes.status.st_nlink > 0 else { throw .stale }
        let isIndexed = isOwnMount && attributes.status.st_dev == device
        return cache.insert(TreeObject(handle, pin, attributes, tree: number), isIndexed: isIndexed)
    }

    /// The object of a file that was just opened as O_PATH.
    func adopt(_ descriptor: CInt) throws(TreeError) -> (TreeObject, FileAttributes) {
        let pin = TreeDescriptor(descriptor)
        let attributes = try FileAttributes.of(descriptor)
        // Only where the tree could not become a mount of its own.
        guard attributes.status.st_dev == device else { throw TreeError(EXDEV) }
        let handle = FileHandle(export: identity, kernel: try Self.kernelHandle(descriptor), key: key)
        if let object = cache.find(handle, tree: number) { return (object, attributes) }
        return (cache.insert(TreeObject(handle, pin, attributes, tree: number), isIndexed: isOwnMount), attributes)
    }

    /// The file behind a name with its attributes, without opening it, when it is at hand; nil when it is not.
    ///
    /// This thread must have the caller's rights; `directory` is an open one. Throws when there is no such name.
    func known(
        _ name: UnsafePointer<CChar>,
        in directory: CInt
    ) throws(TreeError) -> (TreeObject, FileAttributes)? {
        guard isOwnMount else { return nil }
        let status = unsafe try status(of: name, in: directory)
        guard status.st_dev == device, let object = cache.find(file: UInt64(status.st_ino), tree: number) else {
            return nil
        }
        return (object, FileAttributes(status))
    }

    /// As `known`, for a name whose file has this number, as a listing told; nil also when that was another file.
    func known(
        _ name: UnsafePointer<CChar>,
        file: UInt64,
        in directory: CInt
    ) throws(TreeError) -> (TreeObject, FileAttributes)? {
        guard isOwnMount, let object = cache.find(file: file, tree: number) else { return nil }
        let status = unsafe try status(of: name, in: directory)
        guard status.st_dev == device, UInt64(status.st_ino) == object.file else { return nil }
        return (object, FileAttributes(status))
    }

    private func status(of name: UnsafePointer<CChar>, in directory: CInt) throws(TreeError) -> stat {
        var status = stat()
        try checked(unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
        return status
    }

    /// The handle behind a name, for what is about to be removed; nil when there is none.
    func handle(of name: FileName, in directory: TreeObject) -> FileHandle? {
        var kernel = KernelHandle()
        var count = UInt32(FileHandle.kernelLimit)
        var type: CInt = 0
        let result = unsafe withUnsafeMutableBytes(of: &kernel.words) {
            unsafe clinux_handle_of(directory.pin.number, name.terminated, 0, $0.baseAddress, &count, &type)
        }
        guard result == 0, let type = UInt16(exactly: type) else { return nil }
        kernel.count = Int(count)
        kernel.type = type
        return FileHandle(export: identity, kernel: kernel, key: key)
    }

    /// Lets go of every file of this tree that is at hand, so that nothing keeps its file system once the tree ends.
    package func forgetObjects() { cache.removeAll(of: number) }

    /// The file system's size and room.
    package func space() throws(TreeError) -> statvfs {
        var result = statvfs()
        guard unsafe fstatvfs(top.number, &result) == 0 else { throw TreeError() }
        return result
    }
}
