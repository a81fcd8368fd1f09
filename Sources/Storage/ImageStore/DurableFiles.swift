internal import CLinux

/// The store's file operations: whatever they report as done is on stable storage.
enum DurableFiles {
    /// Makes a directory and those above it, if they are missing.
    static func makeDirectory(_ path: String) throws(ImageStoreError) {
        if unsafe mkdir(path, 0o755) == 0 || clinux_errno() == EEXIST { return }
        guard clinux_errno() == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .lastSystemError("make directory", path)
        }
        try makeDirectory(String(path[..<slash]))
        guard unsafe mkdir(path, 0o755) == 0 || clinux_errno() == EEXIST else {
            throw .lastSystemError("make directory", path)
        }
    }

    /// Makes a file or directory durable, after giving it `mode` when one is said.
    static func seal(_ path: String, mode: mode_t? = nil) throws(ImageStoreError) {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw .lastSystemError("open", path) }
        defer { close(descriptor) }
        if let mode, fchmod(descriptor, mode) != 0 { throw .lastSystemError("change the mode of", path) }
        guard fsync(descriptor) == 0 else { throw .lastSystemError("write", path) }
    }

    /// Writes a whole new file, durably.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(ImageStoreError) {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .lastSystemError("write", path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe writeRest(descriptor, buffer, from: done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw .lastSystemError("write", path) }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw .lastSystemError("write", path) }
    }

    /// Replaces a small file in one step: either the old content or the new one survives a crash.
    static func replace(_ path: String, with bytes: [UInt8]) throws(ImageStoreError) {
        let temporary = path + ".new"
        try write(bytes, to: temporary)
        guard unsafe rename(temporary, path) == 0 else { throw .lastSystemError("replace", path) }
    }

    /// The bytes of a file of at most `limit` bytes; nil when there is none.
    static func read(_ path: String, limit: Int) throws(ImageStoreError) -> [UInt8]? {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if clinux_errno() == ENOENT || clinux_errno() == ENOTDIR { return nil }
            throw .lastSystemError("read", path)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe readRest(descriptor, buffer, from: done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count >= 0 else { throw .lastSystemError("read", path) }
            if count == 0 { break }
            done += count
        }
        guard done <= limit else { throw .system(action: "read", path: path, code: EFBIG) }
        return Array(bytes[..<done])
    }

    /// The names in a directory, without `.` and `..`, in the order of their text; empty when there is no directory.
    static func names(in path: String) throws(ImageStoreError) -> [String] {
        guard let stream = unsafe opendir(path) else {
            if clinux_errno() == ENOENT { return [] }
            throw .lastSystemError("read directory", path)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

private func writeRest(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer, from offset: Int) -> Int {
    unsafe write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
}

private func readRest(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Int {
    unsafe read(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
}
