import CLinux
import Foundation
import NetworkIO

/// A small file that is whole or not there, also after a power cut.
enum DurableFile {
    /// Writes it for root alone; on stable storage when this returns.
    static func write(_ data: Data, to path: String) throws {
        let draft = "\(path).new"
        let file = try FileDescriptor(
            "write \(draft)",
            unsafe clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        )
        let bytes = Array(data)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CLinux.write(file.number, $0.baseAddress.map { unsafe $0 + done }, bytes.count - done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw SystemCallError("write \(draft)") }
            done += count
        }
        try check("write \(draft)", fsync(file.number))
        try check("write \(path)", unsafe rename(draft, path))
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folder = try FileDescriptor(
            "open \(parent)",
            unsafe clinux_open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        )
        try check("write \(parent)", fsync(folder.number))
    }
}
