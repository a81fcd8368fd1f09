import CLinux
import Synchronization

extension FileTree {
    /// Makes a regular file; throws EEXIST when the name is taken.
    package func createFile(
        _ name: FileName,
        mode: UInt32,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        try prepare(name, in: directory, as: caller, on: &thread)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY
        let number = thread.masked {
            unsafe clinux_openat(directory.pin.number, name.terminated, flags, mode & 0o7777)
        }
        if number < 0, let made = try madeBefore(name, .regular, in: directory, as: caller, on: &thread) { return made }
        let writer = TreeDescriptor(try checked(number), countedBy: cache.writers)
        try thread.becomeRoot()
        let (object, attributes) = try adopt(try checked(clinux_reopen(openFiles.number, writer.number, O_PATH)))
        keep(writer: writer, of: object, as: caller, attributes.rights)
        return object
    }

    /// Makes a directory.
    package func createDirectory(
        _ name: FileName,
        mode: UInt32,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        try prepare(name, in: directory, as: caller, on: &thread)
        let result = thread.masked { unsafe mkdirat(directory.pin.number, name.terminated, mode & 0o7777) }
        if result < 0, let made = try madeBefore(name, .directory, in: directory, as: caller, on: &thread) {
            return made
        }
        try checked(result)
        return try lookup(name, in: directory, as: caller, on: &thread).0
    }

    /// Makes a symbolic link.
    package func createLink(
        _ name: FileName,
        to target: [UInt8],
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        try prepare(name, in: directory, as: caller, on: &thread)
        guard !target.contains(0) else { throw TreeError(EINVAL) }
        let text = target.map { CChar(bitPattern: $0) } + [0]
        let result = unsafe symlinkat(text, directory.pin.number, name.terminated)
        if result < 0, let made = try madeBefore(name, .symbolicLink, in: directory, as: caller, on: &thread) {
            return made
        }
        try checked(result)
        return try lookup(name, in: directory, as: caller, on: &thread).0
    }

    /// Makes a device, a pipe or a socket; throws EINVAL for other kinds.
    ///
    /// Devices need root's rights.
    package func createNode(
        _ name: FileName,
        _ kind: FileKind,
        mode: UInt32,
        major: UInt32,
        minor: UInt32,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        let type: CInt
        switch kind {
        case .blockDevice: type = S_IFBLK
        case .characterDevice: type = S_IFCHR
        case .pipe: type = S_IFIFO
        case .socket: type = S_IFSOCK
        default: throw TreeError(EINVAL)
        }
        try prepare(name, in: directory, as: caller, on: &thread)
        let device = kind == .blockDevice || kind == .characterDevice ? clinux_device(major, minor) : 0
        let result = thread.masked {
            unsafe mknodat(directory.pin.number, name.terminated, mode_t(type) | (mode & 0o7777), device)
        }
        if result < 0, let made = try madeBefore(name, kind, in: directory, as: caller, on: &thread) { return made }
        try checked(result)
        return try lookup(name, in: directory, as: caller, on: &thread).0
    }

    /// Gives a file a further name.
    package func link(
        _ object: TreeObject,
        as name: FileName,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        guard object.kind != .directory else { throw TreeError(EPERM) }
        try prepare(name, in: directory, as: caller, on: &thread)
        let result = unsafe clinux_link(object.pin.number, directory.pin.number, name.terminated)
        if result < 0, let made = try madeBefore(name, object.kind, in: directory, as: caller, on: &thread),
            made.handle == object.handle
        {
            return
        }
        try checked(result)
    }

    /// Removes a name that is not a directory's, or an empty directory.
    package func remove(
        _ name: FileName,
        isDirectory: Bool,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        guard !name.isDotDot else { throw TreeError(ENOTEMPTY) }
        guard !name.isDot else { throw TreeError(EINVAL) }
        try prepare(name, in: directory, as: caller, on: &thread)
        let victim = handle(of: name, in: directory)
        let result = unsafe unlinkat(directory.pin.number, name.terminated, isDirectory ? AT_REMOVEDIR : 0)
        if result < 0, thread.mayBeDone, clinux_errno() == ENOENT { return }
        try checked(result)
        if let victim { cache.remove(victim) }
    }

    /// Moves a name; what had the new one is replaced.
    package func rename(
        _ name: FileName,
        in directory: TreeObject,
        to newName: FileName,
        in newDirectory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        guard newDirectory.kind == .directory else { throw TreeError(ENOTDIR) }
        guard name.isOrdinary, newName.isOrdinary else { throw TreeError(EINVAL) }
        try prepare(name, in: directory, as: caller, on: &thread)
        let victim = handle(of: newName, in: newDirectory)
        let result = unsafe renameat(
            directory.pin.number,
            name.terminated,
            newDirectory.pin.number,
            newName.terminated
        )
        if result < 0, thread.mayBeDone, clinux_errno() == ENOENT,
            (try? lookup(newName, in: newDirectory, as: caller, on: &thread)) != nil
        {
            return
        }
        try checked(result)
        if let victim { cache.remove(victim) }
    }

    /// What a server that was killed has made already under a name that is taken; nil when that cannot be.
    private func madeBefore(
        _ name: FileName,
        _ kind: FileKind,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject? {
        let number = clinux_errno()
        defer { clinux_set_errno(number) }
        guard number == EEXIST, thread.mayBeDone else { return nil }
        let (object, _) = try lookup(name, in: directory, as: caller, on: &thread)
        return object.kind == kind ? object : nil
    }

    private func prepare(
        _ name: FileName,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        guard directory.kind == .directory else { throw TreeError(ENOTDIR) }
        guard name.isOrdinary else { throw TreeError(EEXIST) }
        try thread.become(caller)
    }
}
