import CLinux

/// The kernel that runs now, and what it had in memory.
public enum RunningKernel {
    /// Its name for itself, another one after each start of the computer (`/proc/sys/kernel/random/boot_id`).
    ///
    /// Throws when it cannot be read: without it a power cut would go unnoticed.
    public static func identity() throws(BlockStorageOpenError) -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        var bytes = [UInt8](repeating: 0, count: 64)
        let count: Int
        do throws(BlockError) {
            let file = try RandomAccessFile(path: path, flags: O_RDONLY)
            count = unsafe pread(file.descriptor, &bytes, bytes.count, 0)
        } catch { throw BlockStorageOpenError(path: path, reason: error.reason) }
        let text = String(decoding: bytes[..<max(count, 0)], as: UTF8.self).filter { !$0.isWhitespace }
        guard !text.isEmpty else { throw BlockStorageOpenError(path: path, reason: "is empty") }
        return text
    }
}
