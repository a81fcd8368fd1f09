import CLinux
import Locking

extension FileTree {
    /// The file, open for reading by this caller; `attributes` are as of now.
    ///
    /// Kept open between requests; opened anew when another caller asks or rights have changed. As there is no OPEN in
    /// NFSv3, its owner may read it whatever its mode says (who has opened it keeps it), and who may run it may read it.
    package func reader(
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeDescriptor {
        let kept = object.open.withLock { open -> TreeDescriptor? in
            guard let reader = open.reader, reader.caller.isSame(as: caller) else { return nil }
            return reader.descriptor
        }
        if let kept { return kept }
        let (descriptor, granted) = try open(object, O_RDONLY, as: caller, on: &thread)
        try keep(descriptor, of: object, as: caller, granted)
        return object.pin
    }

    /// Has an object hold on to its file by a descriptor that reads it, whoever uses the present one meanwhile.
    private func keep(
        _ descriptor: CInt,
        of object: TreeObject,
        as caller: Caller,
        _ granted: FileRights
    ) throws(TreeError) {
        try checked(clinux_take_place(descriptor, object.pin.number))
        object.open.withLock { $0.reader = .init(descriptor: object.pin, caller: caller, granted: granted) }
    }

    /// The file, open for writing by this caller.
    package func writer(
        of object: TreeObject,
        as caller: Caller,
        _ attributes: FileAttributes,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeDescriptor {
        let rights = attributes.rights
        let kept = object.open.withLock { open -> TreeDescriptor? in
            guard let writer = open.writer, writer.caller.isSame(as: caller), writer.granted == rights else {
                return nil
            }
            return writer.descriptor
        }
        if let kept { return kept }
        let (number, granted) = try open(object, O_WRONLY, as: caller, on: &thread)
        let descriptor = TreeDescriptor(number, countedBy: cache.writers)
        keep(writer: descriptor, of: object, as: caller, granted)
        return descriptor
    }

    /// Keeps a file open for writing between requests, as long as not too many are.
    func keep(writer: TreeDescriptor, of object: TreeObject, as caller: Caller, _ granted: FileRights) {
        let hasRoom = cache.hasRoomForWriter
        object.open.withLock { open in
            open.writer = hasRoom ? .init(descriptor: writer, caller: caller, granted: granted) : nil
        }
    }

    /// Whether the reader that is kept was granted under other rights than the file has now.
    package func isOutdated(_ object: TreeObject, _ attributes: FileAttributes) -> Bool {
        let rights = attributes.rights
        return object.open.withLock { open in
            guard let reader = open.reader, reader.granted != rights else { return false }
            open.reader = nil
            return true
        }
    }

    private func open(
        _ object: TreeObject,
        _ mode: CInt,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> (CInt, FileRights) {
        switch object.kind {
        case .regular: break
        case .directory: throw TreeError(EISDIR)
        // Never opened here: a device or a pipe would be the server's own.
        default: throw TreeError(EINVAL)
        }
        try thread.become(caller)
        let attributes = try object.attributes()
        let flags = mode | O_NOCTTY
        var descriptor = reopened(object, flags, as: caller)
        if descriptor < 0, clinux_errno() == EACCES {
            let mayRun = mode == O_RDONLY && clinux_may(object.pin.number, X_OK) == 0
            guard attributes.status.st_uid == caller.user || mayRun else { throw TreeError(EACCES) }
            try thread.becomeRoot()
            descriptor = clinux_reopen(openFiles.number, object.pin.number, flags)
        }
        try checked(descriptor)
        return (descriptor, attributes.rights)
    }

    /// The file of an object, opened anew with the rights of this thread, which has become `caller`; negative with errno set.
    ///
    /// By its handle where the caller may use handles (CAP_DAC_READ_SEARCH comes with root's user number alone): that takes
    /// half the time of the way through /proc, which is the only one for others and for what has lost its last name.
    func reopened(_ object: TreeObject, _ flags: CInt, as caller: Caller) -> CInt {
        if caller.user == 0 {
            let descriptor = opened(object.handle, flags)
            if descriptor >= 0 { return descriptor }
        }
        return clinux_reopen(openFiles.number, object.pin.number, flags)
    }

    /// Opens by handle, as root alone may; negative with errno set.
    func opened(_ handle: FileHandle, _ flags: CInt) -> CInt {
        let kernel = handle.kernel
        return unsafe withUnsafeBytes(of: kernel.words) {
            unsafe clinux_open_handle(
                top.number,
                $0.baseAddress,
                UInt32(kernel.count),
                CInt(kernel.type),
                flags | O_CLOEXEC
            )
        }
    }

    /// A descriptor by which an object can be made durable, whoever asks.
    private func syncDescriptor(
        _ object: TreeObject,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> TreeDescriptor {
        let kept = object.open.withLock { $0.writer ?? $0.reader }
        if let kept { return kept.descriptor }
        try thread.becomeRoot()
        let isDirectory = object.kind == .directory
        let rights = try FileAttributes.of(object.pin.number).rights
        let descriptor = try checked(
            clinux_reopen(openFiles.number, object.pin.number, O_RDONLY | (isDirectory ? O_DIRECTORY : 0))
        )
        guard isDirectory else { return TreeDescriptor(descriptor) }
        try keep(descriptor, of: object, as: .root, rights)
        return object.pin
    }

    /// Returns when everything that was done to the object is on stable storage.
    package func sync(
        _ object: TreeObject,
        dataOnly: Bool = false,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        switch object.kind {
        case .regular, .directory:
            let descriptor = try syncDescriptor(object, on: &thread)
            try checked(dataOnly ? fdatasync(descriptor.number) : fsync(descriptor.number))
        default:
            // Links and devices cannot be opened to be synchronised alone.
            try checked(syncfs(top.number))
        }
    }
}
