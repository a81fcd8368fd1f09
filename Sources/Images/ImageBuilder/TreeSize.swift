internal import CLinux

/// How much room a tree takes in a file system with blocks of 4 KiB and inodes of 256 bytes.
enum TreeSize {
    static func bytes(of tree: String) -> Int64 {
        var total: Int64 = 0
        var pending = [tree]
        while let directory = pending.popLast() {
            guard let stream = unsafe opendir(directory) else { continue }
            defer { unsafe closedir(stream) }
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                var status = stat()
                guard name != ".", name != "..", unsafe lstat(directory + "/" + name, &status) == 0 else { continue }
                total += 256 + (Int64(status.st_size) + 4095) / 4096 * 4096
                if status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) { pending.append(directory + "/" + name) }
            }
        }
        return total
    }
}
