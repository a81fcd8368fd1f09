internal import CLinux

extension SHA256Digest {
    /// The digest of some bytes.
    public static func of(_ bytes: Span<UInt8>) throws(DigestError) -> SHA256Digest {
        var hasher = try SHA256Hasher()
        try hasher.update(bytes)
        return try hasher.finish()
    }

    /// The digest and the size in bytes of a file, read in blocks of 1 MiB.
    public static func ofFile(_ path: String) throws(DigestError) -> (digest: SHA256Digest, size: UInt64) {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: clinux_errno()) }
        defer { close(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        var hasher = try SHA256Hasher()
        var size: UInt64 = 0
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                if clinux_errno() == EINTR { continue }
                throw .unreadable(path: path, code: clinux_errno())
            }
            if count == 0 { break }
            try hasher.update(block.span.extracting(0..<count))
            size += UInt64(count)
        }
        return (try hasher.finish(), size)
    }
}
