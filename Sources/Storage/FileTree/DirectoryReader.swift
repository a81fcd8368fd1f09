import CLinux

/// One entry of a directory, as the kernel lists it.
package struct DirectoryEntry: ~Escapable {
    /// The name's bytes.
    package let name: RawSpan
    /// The number of the file.
    package let file: UInt64
    /// Where the listing goes on behind it; stays valid.
    package let next: UInt64

    @_lifetime(copy name)
    init(name: RawSpan, file: UInt64, next: UInt64) {
        self.name = name
        self.file = file
        self.next = next
    }
}

extension FileTree {
    /// Lists a directory from `cookie` on (0 is its start) until `body` says false; whether it came to the end.
    ///
    /// `room` is memory for the kernel's form of entries.
    package func list(
        _ directory: TreeObject,
        from cookie: UInt64,
        as caller: Caller,
        on thread: inout ThreadIdentity,
        room: inout [UInt8],
        _ body: (DirectoryEntry, CInt, inout ThreadIdentity) -> Bool
    ) throws(TreeError) -> Bool {
        guard directory.kind == .directory else { throw TreeError(ENOTDIR) }
        try thread.become(caller)
        // Opened anew, so that the kernel checks the caller's right to read, and the position is ours alone.
        let opened = TreeDescriptor(
            try checked(reopened(directory, O_RDONLY | O_DIRECTORY, as: caller))
        )
        if cookie != 0 {
            guard let position = off_t(exactly: cookie), lseek(opened.number, position, SEEK_SET) >= 0 else {
                throw TreeError(EINVAL)
            }
        }
        while true {
            let count = unsafe clinux_list(opened.number, &room, room.count)
            guard count >= 0 else { throw TreeError() }
            if count == 0 { return true }
            let goesOn = unsafe room.withUnsafeBytes { memory in
                unsafe Self.entries(
                    RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[..<count])),
                    opened.number,
                    &thread,
                    body
                )
            }
            guard goesOn else { return false }
        }
    }

    /// Walks over struct linux_dirent64: inode (8), offset (8), length (2), type (1), name and a zero.
    private static func entries(
        _ bytes: RawSpan,
        _ directory: CInt,
        _ thread: inout ThreadIdentity,
        _ body: (DirectoryEntry, CInt, inout ThreadIdentity) -> Bool
    ) -> Bool {
        var position = 0
        while bytes.byteCount - position > 19 {
            let file = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            let next = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
            let length = Int(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
            guard length > 19, length <= bytes.byteCount - position else { return true }
            let rest = bytes.extracting(position + 19..<position + length)
            let count = unsafe rest.withUnsafeBytes { unsafe $0.firstIndex(of: 0) ?? $0.count }
            let entry = DirectoryEntry(name: rest.extracting(0..<count), file: file, next: next)
            guard body(entry, directory, &thread) else { return false }
            position += length
        }
        return true
    }

    /// The object of an entry of a directory that is being listed; nil when the caller may not see it or it is gone.
    package func object(
        of entry: DirectoryEntry,
        in opened: CInt,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) -> (TreeObject, FileAttributes)? {
        guard (try? thread.become(caller)) != nil else { return nil }
        // The kernel's names end with a zero, which lies behind the span.
        let found = unsafe entry.name.withUnsafeBytes { name -> (TreeObject, FileAttributes)? in
            guard let base = name.baseAddress else { return nil }
            return try? unsafe known(base.assumingMemoryBound(to: CChar.self), file: entry.file, in: opened)
        }
        if let found { return found }
        let descriptor = unsafe entry.name.withUnsafeBytes { name in
            guard let base = name.baseAddress else { return -1 as CInt }
            return unsafe clinux_openat(
                opened,
                base.assumingMemoryBound(to: CChar.self),
                O_PATH | O_NOFOLLOW | O_CLOEXEC,
                0
            )
        }
        guard descriptor >= 0 else { return nil }
        return try? adopt(descriptor)
    }
}
