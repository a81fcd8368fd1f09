import CLinux

/// Reads files of a foreign root as its own programs would see them: links and `..` never leave it.
struct FileTree: ~Copyable {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws(InitramfsError) {
        self.path = path
        descriptor = unsafe clinux_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .file(path: path, reason: Self.reason(clinux_errno())) }
    }

    deinit { close(descriptor) }

    /// The content of the regular file at `file`; nil when there is none.
    func read(_ file: String) throws(InitramfsError) -> [UInt8]? {
        let opened = unsafe clinux_open_in_root(descriptor, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            let code = clinux_errno()
            if code == ENOENT || code == ENOTDIR || code == ELOOP { return nil }
            throw .file(path: path + "/" + file, reason: Self.reason(code))
        }
        defer { close(opened) }
        return try Self.contents(opened, path: path + "/" + file)
    }

    /// The content of an open regular file; nil when it is something else.
    static func contents(_ descriptor: Int32, path: String) throws(InitramfsError) -> [UInt8]? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .file(path: path, reason: reason(clinux_errno())) }
        guard status.st_mode & 0o170000 == 0o100000 else { return nil }
        let size = Int(status.st_size)
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = 0
            while count < size {
                let got = unsafe pread(descriptor, buffer.baseAddress?.advanced(by: count), size - count, count)
                if got < 0 && clinux_errno() == EINTR { continue }
                if got < 0 { failure = clinux_errno() }
                if got <= 0 { break }
                count += got
            }
        }
        guard failure == 0 else { throw .file(path: path, reason: reason(failure)) }
        return bytes
    }

    /// The content of a file of this machine; nil when there is none.
    static func readHostFile(_ path: String) throws(InitramfsError) -> [UInt8]? {
        let opened = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard opened >= 0 else {
            if clinux_errno() == ENOENT { return nil }
            throw .file(path: path, reason: reason(clinux_errno()))
        }
        defer { close(opened) }
        return try contents(opened, path: path)
    }

    /// The system's words for an error number.
    static func reason(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
