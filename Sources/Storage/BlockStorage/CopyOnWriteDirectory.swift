import CLinux

/// The files of one copy-on-write layer, and the header that says what they belong to.
///
///     lock       held while the layer is open: two processes never share one
///     header     format, the kernel that last opened the layer, the base's identity and size
///     data, live, committed     see CopyOnWriteStorage
struct CopyOnWriteDirectory {
    let path: String

    /// What `header` says, as lines of `key value`.
    struct Header: Equatable {
        static let name = "diskless copy-on-write layer"
        static let format = name + " 2"
        var kernel: String
        var base: String
        var size: UInt64

        var text: String { "\(Self.format)\nkernel \(kernel)\nbase \(base)\nsize \(size)\n" }

        init(kernel: String, base: String, size: UInt64) {
            self.kernel = kernel
            self.base = base
            self.size = size
        }

        init?(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count >= 4, lines[0] == Self.format, lines[1].hasPrefix("kernel "), lines[2].hasPrefix("base "),
                lines[3].hasPrefix("size "), let size = UInt64(lines[3].dropFirst(5))
            else { return nil }
            self.init(kernel: String(lines[1].dropFirst(7)), base: String(lines[2].dropFirst(5)), size: size)
        }
    }

    func failure(_ reason: String) -> BlockStorageOpenError { BlockStorageOpenError(path: path, reason: reason) }

    /// Opens the layer, or makes an empty one where there is none.
    func open(
        over base: any BlockStorage,
        identity: String,
        kernel: String
    ) throws(BlockStorageOpenError) -> CopyOnWriteStorage {
        let identity = String(identity.map { $0.isNewline ? " " : $0 })
        do throws(any Error) {
            try makeDirectories()
            let lock = try RandomAccessFile(path: path + "/lock", flags: O_RDWR | O_CREAT)
            try take(lock)
            let header = try readHeader()
            if let header {
                guard header.base == identity, header.size == base.size else {
                    throw failure(
                        "this layer belongs to \(header.base) (\(header.size) bytes), not to \(identity)"
                            + " (\(base.size) bytes): remove it, or name another directory"
                    )
                }
            }
            // Without a header nothing in the directory was ever in use.
            let flags = O_RDWR | O_CREAT | (header == nil ? O_TRUNC : 0)
            let data = try file("data", flags, CopyOnWriteStorage.dataBytes(base.size))
            let live = try file("live", flags, CopyOnWriteStorage.indexBytes(base.size))
            let committed = try file("committed", flags, CopyOnWriteStorage.indexBytes(base.size))
            let storage = try CopyOnWriteStorage(
                base: base,
                data: data,
                live: live,
                committed: committed,
                trust: header?.kernel == kernel ? .live : .committed,
                name: path,
                owner: lock
            )
            if header?.kernel != kernel {
                // The sizes are durable before the header says that the files are good.
                for file in [data, live, committed] { try file.sync() }
                try write(Header(kernel: kernel, base: identity, size: base.size))
            }
            return storage
        } catch let error as BlockStorageOpenError { throw error } catch let error as BlockError {
            throw failure(error.reason)
        } catch { throw failure("cannot be opened") }
    }

    private func file(_ name: String, _ flags: CInt, _ size: UInt64) throws(BlockError) -> RandomAccessFile {
        let file = try RandomAccessFile(path: "\(path)/\(name)", flags: flags)
        if try file.size() != size { try file.resize(to: size) }
        return file
    }

    private func take(_ lock: RandomAccessFile) throws(BlockStorageOpenError) {
        // A server that was just killed, or a session that just ended, may need a moment to let go.
        for _ in 0..<200 {
            if flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            usleep(10_000)
        }
        throw failure("another process has this layer open")
    }

    private func makeDirectories() throws(BlockError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += (prefix.isEmpty || prefix.hasSuffix("/") ? "" : "/") + part
            if unsafe mkdir(prefix, 0o700) != 0 {
                let number = clinux_errno()
                if number != EEXIST && number != EISDIR { throw BlockError(number) }
            } else {
                try syncDirectory(parent(of: prefix))
            }
        }
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func readHeader() throws(BlockStorageOpenError) -> Header? {
        let file: RandomAccessFile
        do throws(BlockError) { file = try RandomAccessFile(path: path + "/header", flags: O_RDONLY) } catch {
            if error.number == ENOENT { return nil }
            throw failure("header: \(error.reason)")
        }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = unsafe pread(file.descriptor, &bytes, bytes.count, 0)
        let text = count >= 0 ? String(validating: bytes[..<count], as: UTF8.self) : nil
        guard let text, let header = Header(text) else {
            if let line = text?.split(separator: "\n").first, line.hasPrefix(Header.name) {
                throw failure(
                    "this is a \(line), and only \(Header.format) is known: remove the directory to start anew"
                )
            }
            throw failure("the file header is not one of a copy-on-write layer; remove the directory to start anew")
        }
        return header
    }

    private func write(_ header: Header) throws(BlockError) {
        let file = try RandomAccessFile(path: path + "/header.new", flags: O_WRONLY | O_CREAT | O_TRUNC)
        var failure: BlockError?
        unsafe Array(header.text.utf8).withUnsafeBytes {
            do throws(BlockError) { unsafe try file.write($0, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.sync()
        guard unsafe rename(path + "/header.new", path + "/header") == 0 else { throw BlockError(clinux_errno()) }
        try syncDirectory(path)
    }

    private func syncDirectory(_ path: String) throws(BlockError) {
        let directory = try RandomAccessFile(path: path, flags: O_RDONLY | O_DIRECTORY)
        guard fsync(directory.descriptor) == 0 else { throw BlockError(clinux_errno()) }
    }

    /// Removes the layer; who has it open keeps what it has.
    func remove() throws(BlockStorageOpenError) {
        // The header goes first: a removal that is cut short leaves nothing that looks good.
        for name in ["header", "header.new", "data", "live", "committed", "lock"] {
            if unsafe unlink("\(path)/\(name)") != 0, clinux_errno() != ENOENT {
                throw failure("\(name): \(BlockError(clinux_errno()).reason)")
            }
        }
        if unsafe rmdir(path) != 0, clinux_errno() != ENOENT { throw failure(BlockError(clinux_errno()).reason) }
    }
}
