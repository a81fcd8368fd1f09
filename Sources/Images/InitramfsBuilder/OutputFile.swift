import CLinux

/// A file that appears under its name only when it is complete.
enum OutputFile {
    static func write(
        to path: String,
        _ body: (Int32) throws(InitramfsError) -> Void
    ) throws(InitramfsError) {
        let part = path + ".part"
        let descriptor = unsafe clinux_open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file(path: part, reason: FileTree.reason(clinux_errno())) }
        defer { close(descriptor) }
        do throws(InitramfsError) {
            try body(descriptor)
            guard fsync(descriptor) == 0, unsafe rename(part, path) == 0 else {
                throw .file(path: path, reason: FileTree.reason(clinux_errno()))
            }
        } catch {
            unsafe unlink(part)
            throw error
        }
    }

    /// Writes all of `bytes`.
    static func write(_ bytes: [UInt8], to descriptor: Int32) throws(InitramfsError) {
        var written = 0
        while written < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if put < 0 && clinux_errno() == EINTR { continue }
            guard put > 0 else { throw .file(path: "initramfs", reason: FileTree.reason(clinux_errno())) }
            written += put
        }
    }
}
