/// How an initramfs is compressed.
///
/// Measured with a 15 MB archive: unpacking takes the kernel 0.13 to 0.35 s with any of these, so the size on the wire
/// decides where loaders use TFTP (5 to 9 MB/s), and zstd is the smallest that unpacks fast; xz would cost 1 s.
public enum Compression: String, CaseIterable, Sendable {
    /// The default where the kernel is known to have it (`CONFIG_RD_ZSTD`, Linux 5.9).
    case zstd
    /// What every distribution kernel unpacks.
    case gzip
    /// The fastest to unpack; for slow processors on fast networks.
    case lz4
    /// As it is.
    case stored = "none"

    /// zstd when the kernel's configuration in the image names it, else gzip.
    static func best(for release: String, in image: borrowing FileTree) throws(InitramfsError) -> Compression {
        for path in ["boot/config-\(release)", "lib/modules/\(release)/config", "usr/lib/modules/\(release)/config"] {
            guard let text = try image.read(path) else { continue }
            let isThere = String(decoding: text, as: UTF8.self).split(separator: "\n").contains("CONFIG_RD_ZSTD=y")
            return isThere ? .zstd : .gzip
        }
        return .gzip
    }

    /// Writes the compressed archive.
    ///
    /// One thread only: with more, the bytes would depend on the machine.
    func compress(_ archive: [UInt8], into descriptor: Int32) throws(InitramfsError) {
        switch self {
        case .zstd: try Filter.run(["zstd", "-q", "-15", "--single-thread", "-c"], input: archive, output: descriptor)
        case .gzip: try Filter.run(["gzip", "-9", "-n", "-c"], input: archive, output: descriptor)
        // The kernel reads only lz4's legacy frame.
        case .lz4: try Filter.run(["lz4", "-l", "-9", "-c"], input: archive, output: descriptor)
        case .stored: try OutputFile.write(archive, to: descriptor)
        }
    }
}
