import CLinux

/// A file that holds one short line, written so that it is whole or not there.
enum OneLine {
    /// The line; nil when there is no such file.
    static func read(_ path: String) -> String? {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe CLinux.read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != 0x0a }, as: UTF8.self)
    }

    /// Writes it; on stable storage when this returns.
    static func write(_ line: String, to path: String) throws(MountError) {
        let draft = "\(path).new"
        let descriptor = unsafe clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw MountError("write \(draft)", clinux_errno()) }
        let bytes = Array("\(line)\n".utf8)
        let isWritten = unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        let number = clinux_errno()
        close(descriptor)
        guard isWritten, unsafe rename(draft, path) == 0 else {
            throw MountError("write \(path)", isWritten ? clinux_errno() : number)
        }
        sync(path)
    }

    private static func sync(_ path: String) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = unsafe clinux_open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
