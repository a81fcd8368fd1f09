import CLinux

extension FileTree {
    /// The file behind a name.
    package func lookup(
        _ name: FileName,
        in directory: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> (TreeObject, FileAttributes) {
        guard directory.kind == .directory else { throw TreeError(ENOTDIR) }
        if name.isDot { return (directory, try directory.attributes()) }
        try thread.become(caller)
        if name.isDotDot { return try parent(of: directory) }
        if let known = unsafe try known(name.terminated, in: directory.pin.number) { return known }
        return try adopt(
            try checked(
                unsafe clinux_openat(directory.pin.number, name.terminated, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
            )
        )
    }

    /// The directory above; the export's own directory is above itself.
    ///
    /// A directory may have been moved out of the export while a client held its handle, so the way up must lead to the
    /// export's own directory before anything is told.
    private func parent(of directory: TreeObject) throws(TreeError) -> (TreeObject, FileAttributes) {
        guard directory.handle != root else { return (directory, try directory.attributes()) }
        let top = try FileAttributes.of(top.number).status
        let flags = O_PATH | O_DIRECTORY | O_CLOEXEC
        let first = TreeDescriptor(try checked(unsafe clinux_openat(directory.pin.number, "..", flags, 0)))
        var above = first
        for _ in 0..<2048 {
            let status = try FileAttributes.of(above.number).status
            if status.st_ino == top.st_ino, status.st_dev == top.st_dev {
                return try adopt(try checked(clinux_fcntl(first.number, F_DUPFD_CLOEXEC, 0)))
            }
            let next = TreeDescriptor(try checked(unsafe clinux_openat(above.number, "..", flags, 0)))
            let nextStatus = try FileAttributes.of(next.number).status
            guard nextStatus.st_ino != status.st_ino || nextStatus.st_dev != status.st_dev else { break }
            above = next
        }
        throw .stale
    }

    /// What the caller may do: those bits of `wanted` (R_OK, W_OK, X_OK) that the kernel grants.
    package func access(
        _ object: TreeObject,
        _ wanted: CInt,
        _ attributes: FileAttributes,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> CInt {
        try thread.become(caller)
        let pin = object.pin.number
        guard wanted != 0 else { return 0 }
        var possible = wanted
        // Nobody runs a file without any x bit, not even root.
        if object.kind != .directory, attributes.mode & 0o111 == 0 { possible &= ~X_OK }
        if possible == 0 || clinux_may(pin, possible) == 0 { return possible }
        var granted: CInt = 0
        for bit in [R_OK, W_OK, X_OK] where possible & bit != 0 {
            if clinux_may(pin, bit) == 0 { granted |= bit }
        }
        return granted
    }

    /// What a symbolic link says.
    package func readLink(_ object: TreeObject) throws(TreeError) -> [UInt8] {
        guard object.kind == .symbolicLink else { throw TreeError(EINVAL) }
        var bytes = [UInt8](repeating: 0, count: 4097)
        let count = unsafe bytes.withUnsafeMutableBytes { memory -> Int in
            guard let base = memory.baseAddress else { return -1 }
            return unsafe readlinkat(object.pin.number, "", base.assumingMemoryBound(to: CChar.self), memory.count)
        }
        guard count >= 0 else { throw TreeError() }
        return Array(bytes.prefix(count))
    }

    /// The file at a path below the export, without following links.
    ///
    /// For MOUNT; asked with the server's own rights.
    package func find(
        _ components: [FileName],
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeObject {
        var object = try object(root, on: &thread)
        for name in components {
            guard name.isOrdinary else { throw TreeError(ENOENT) }
            object = try lookup(name, in: object, as: .root, on: &thread).0
        }
        return object
    }
}
