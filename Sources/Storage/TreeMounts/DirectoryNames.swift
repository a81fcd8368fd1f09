import CLinux

/// The names in a directory of the server's own.
enum DirectoryNames {
    /// All but `.` and `..`; none when there is no such directory.
    static func of(_ path: String) throws(MountError) -> [String] {
        guard let stream = unsafe opendir(path) else {
            if clinux_errno() == ENOENT { return [] }
            throw MountError("read \(path)", clinux_errno())
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a directory with all that is in it; what is not there is fine.
    static func removeTree(_ path: String, depth: Int) throws(MountError) {
        guard depth < 512 else { throw MountError("remove \(path)", ENAMETOOLONG) }
        if unsafe unlink(path) == 0 || clinux_errno() == ENOENT { return }
        guard clinux_errno() == EISDIR else { throw MountError("remove \(path)", clinux_errno()) }
        for name in try of(path) { try removeTree("\(path)/\(name)", depth: depth + 1) }
        guard unsafe rmdir(path) == 0 || clinux_errno() == ENOENT else {
            throw MountError("remove \(path)", clinux_errno())
        }
    }
}
