import BootModel
import CLinux
import CPIO
import NetworkIO
import Synchronization

/// The firmware files of image versions, unpacked in memory; a Raspberry Pi asks for a dozen of them at each boot.
final class FirmwareArchives: Sendable {
    private let known = Mutex<[(image: ImageVersionID, files: [String: [UInt8]])]>([])
    /// How many versions' files are kept; some ten megabytes each.
    private static let limit = 2

    /// Its files by path; empty when the version has none.
    ///
    /// Throws `SystemCallError` or `CPIOError` when the archive cannot be read.
    func files(of version: ImageVersion, in catalog: any ImageCatalog) throws -> [String: [UInt8]] {
        guard version.files[.firmware] != nil else { return [:] }
        return try known.withLock { known in
            if let found = known.first(where: { $0.image == version.id }) { return found.files }
            let archive = try Self.read(try catalog.path(of: .firmware, in: version.id))
            var files: [String: [UInt8]] = [:]
            for entry in try CPIOReader.entries(of: archive.span) where entry.kind == .file {
                files[entry.path] = entry.data
            }
            known = Array(known.suffix(Self.limit - 1)) + [(version.id, files)]
            return files
        }
    }

    /// All bytes of a file.
    static func read(_ path: String) throws(SystemCallError) -> [UInt8] {
        let file = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(file.number, &status))
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe CLinux.read(file.number, $0.baseAddress.map { unsafe $0 + done }, $0.count - done)
            }
            guard count > 0 else { throw SystemCallError("read \(path)", number: count < 0 ? clinux_errno() : EIO) }
            done += count
        }
        return bytes
    }
}
