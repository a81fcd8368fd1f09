import CLinux

/// How much room a file system has, and where it is mounted.
public struct FileSystemRoom: Hashable, Sendable {
    /// The directory on which the file system is mounted.
    public let mountPoint: String
    /// Bytes that may still be written.
    public let free: Int64
    /// Bytes in all.
    public let total: Int64
    /// Files that may still be made.
    public let freeFiles: UInt64
    /// Whether nobody can write there any more, root on its reserve neither.
    public let isFull: Bool

    /// The file system that holds `path`, or the nearest directory above it that exists; nil when that cannot be told.
    public init?(at path: String) {
        var place = path.isEmpty ? "." : path
        var status = stat()
        while unsafe stat(place, &status) != 0 {
            let parent = Self.parent(of: place)
            guard parent != place else { return nil }
            place = parent
        }
        var room = statvfs()
        guard unsafe statvfs(place, &room) == 0 else { return nil }
        free = Int64(clamping: UInt64(room.f_bavail) * UInt64(room.f_frsize))
        total = Int64(clamping: UInt64(room.f_blocks) * UInt64(room.f_frsize))
        freeFiles = UInt64(room.f_favail)
        isFull = UInt64(room.f_bfree) * UInt64(room.f_frsize) < 64 << 10
        let device = status.st_dev
        while true {
            let parent = Self.parent(of: place)
            guard parent != place, unsafe stat(parent, &status) == 0, status.st_dev == device else { break }
            place = parent
        }
        mountPoint = place
    }

    /// "12 MiB free of 100 MiB".
    public var summary: String { "\(Self.text(free)) free of \(Self.text(total))" }

    /// A size in bytes as a person reads it: `873 KiB`, `1.4 GiB`.
    public static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["bytes", "KiB", "MiB", "GiB"] {
            if value < 1000 || unit == "GiB" {
                let tenths = Int((value * 10).rounded())
                return unit == "bytes" || tenths >= 1000
                    ? "\(Int(value.rounded())) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
            }
            value /= 1024
        }
        return "\(bytes) bytes"
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path == "." ? "." : "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
