internal import CLinux

/// Packages that builds have fetched, kept for the next one.
enum PackageCache {
    /// How much is kept, in bytes.
    static let limit: Int64 = 1 << 30

    /// Deletes the oldest packages until no more than `limit` bytes are left.
    static func trim(_ directory: String, limit: Int64 = Self.limit) {
        var files: [(path: String, size: Int64, time: Int)] = []
        for name in HostFile.names(in: directory) where name.hasSuffix(".deb") {
            var status = stat()
            guard unsafe lstat(directory + "/" + name, &status) == 0 else { continue }
            files.append((directory + "/" + name, Int64(status.st_size), Int(status.st_mtim.tv_sec)))
        }
        var total = files.reduce(0) { $0 + $1.size }
        for file in files.sorted(by: { ($0.time, $0.path) < ($1.time, $1.path) }) where total > limit {
            unsafe unlink(file.path)
            total -= file.size
        }
    }
}
