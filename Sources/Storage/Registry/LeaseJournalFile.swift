import CLinux

/// One of the two files of the lease journal: written from its start to its end, then used again.
///
/// Its room is filled with zeros when it is made, so that a later write changes no size and no extents: syncing it then
/// costs one write of the disk, not a transaction of the file system.
final class LeaseJournalFile: Sendable {
    /// What a system call said.
    struct Failure: Error, CustomStringConvertible {
        var description: String
        var isDiskFull: Bool

        init(_ what: String, _ path: String) {
            let number = clinux_errno()
            isDiskFull = number == ENOSPC || number == EDQUOT
            description = unsafe "\(what) \(path): \(String(cString: strerror(number)))"
        }
    }

    private let descriptor: CInt
    private let path: String

    /// Opens the file, making it with `room` bytes of zeros when it is not there or shorter.
    init(_ path: String, room: Int) throws {
        self.path = path
        descriptor = unsafe clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("open", path) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Failure("look at", path) }
        guard Int(status.st_size) < room else { return }
        try write([UInt8](repeating: 0, count: room - Int(status.st_size)), at: Int(status.st_size), isSynced: false)
        guard fsync(descriptor) == 0 else { throw Failure("sync", path) }
    }

    deinit { close(descriptor) }

    /// Writes `bytes` at `offset`; they are on stable storage when it returns.
    func write(_ bytes: [UInt8], at offset: Int, isSynced: Bool = true) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw Failure("write", path) }
            done += count
        }
        guard isSynced else { return }
        guard fdatasync(descriptor) == 0 else { throw Failure("sync", path) }
    }

    /// Everything in the file at `path`; empty when there is none.
    static func contents(of path: String) throws -> [UInt8] {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if clinux_errno() == ENOENT { return [] }
            throw Failure("open", path)
        }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count >= 0 else { throw Failure("read", path) }
            if count == 0 { return all }
            all += block[..<count]
        }
    }

    /// Puts the names of new files in a directory on stable storage.
    static func syncDirectory(_ path: String) throws {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure("sync", path) }
    }
}
