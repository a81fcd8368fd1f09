import CLinux

extension HandleKey {
    /// The key kept in a file; made there when there is none.
    ///
    /// Losing the file makes every handle that clients hold stale, so it is on the disk before it is used. Throws
    /// `TreeRefusal` with what to do.
    package static func kept(at path: String) throws(TreeRefusal) -> HandleKey {
        if let key = try read(path) { return key }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard unsafe getrandom(&bytes, bytes.count, 0) == bytes.count else {
            throw TreeRefusal("make a key for file handles", clinux_errno())
        }
        let draft = "\(path).\(getpid())"
        let descriptor = unsafe clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TreeRefusal("write \(draft)", clinux_errno()) }
        let written = unsafe write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        let number = clinux_errno()
        close(descriptor)
        defer { _ = unsafe unlink(draft) }
        guard written else { throw TreeRefusal("write \(draft)", number) }
        // Whoever comes second takes the key of the first.
        if unsafe link(draft, path) != 0, clinux_errno() != EEXIST {
            throw TreeRefusal("write \(path)", clinux_errno())
        }
        syncDirectory(of: path)
        guard let key = try read(path) else { throw TreeRefusal(text: "\(path) is gone again") }
        return key
    }

    private static func read(_ path: String) throws(TreeRefusal) -> HandleKey? {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            let number = clinux_errno()
            if number == ENOENT { return nil }
            throw TreeRefusal("read \(path)", number)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 17)
        let count = unsafe CLinux.read(descriptor, &bytes, bytes.count)
        guard count == 16, let key = HandleKey(bytes: Array(bytes.prefix(16))) else {
            throw TreeRefusal(text: "\(path) is not a key of 16 bytes: remove it; clients must then mount again")
        }
        return key
    }

    private static func syncDirectory(of path: String) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe clinux_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
