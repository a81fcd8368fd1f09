internal import BootModel
internal import CLinux

/// The right to write an image: one process at a time, given back by the kernel when the process ends however it ends.
struct StoreLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock of the image whose directory this is, without waiting; throws ``ImageStoreError/locked(_:process:)``.
    init(image: ImageName, directory: String) throws(ImageStoreError) {
        let path = directory + "/.lock"
        let descriptor = unsafe clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .lastSystemError("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = clinux_errno()
            let holder = Self.holder(descriptor)
            close(descriptor)
            if code == EWOULDBLOCK { throw .locked(image, process: holder) }
            throw .system(action: "lock", path: path, code: code)
        }
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        self.descriptor = descriptor
    }

    deinit {
        // Emptied while still held, so that the next holder's number is never taken for ours.
        ftruncate(descriptor, 0)
        // Not by closing alone: a child that another thread has just forked has the descriptor until it runs its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
