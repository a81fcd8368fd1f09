internal import CLinux

/// Removing a directory with all that is in it, without leaving its file system and without following links.
public enum TreeRemoval {
    /// Removes `path`; what is not there is fine.
    ///
    /// A file system mounted below is left alone and reported as busy.
    ///
    /// The directories are opened one below the other, so that a name which is swapped for a link meanwhile leads nowhere.
    public static func remove(_ path: String) throws(ImageStoreError) {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if clinux_errno() == ENOENT { return }
            if clinux_errno() == ENOTDIR || clinux_errno() == ELOOP {
                if unsafe unlink(path) == 0 || clinux_errno() == ENOENT { return }
            }
            throw .lastSystemError("remove", path)
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw .lastSystemError("remove", path)
        }
        try empty(descriptor, path, device: status.st_dev, depth: 0)
        guard unsafe rmdir(path) == 0 || clinux_errno() == ENOENT else { throw .lastSystemError("remove", path) }
    }

    /// Empties an open directory and closes it.
    private static func empty(_ descriptor: Int32, _ path: String, device: dev_t, depth: Int) throws(ImageStoreError) {
        guard depth < 512 else {
            close(descriptor)
            throw .system(action: "remove", path: path, code: ENAMETOOLONG)
        }
        guard let stream = unsafe fdopendir(descriptor) else {
            close(descriptor)
            throw .lastSystemError("remove", path)
        }
        defer { unsafe closedir(stream) }
        // Removing while reading may skip names in some file systems: read all of them first.
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        for name in names {
            let place = path + "/" + name
            let child = unsafe clinux_openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            if child >= 0 {
                var status = stat()
                guard unsafe fstat(child, &status) == 0, status.st_dev == device else {
                    close(child)
                    throw .system(action: "remove the mount point", path: place, code: EBUSY)
                }
                try empty(child, place, device: device, depth: depth + 1)
                guard unsafe unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || clinux_errno() == ENOENT else {
                    throw .lastSystemError("remove", place)
                }
            } else {
                if clinux_errno() == ENOENT { continue }
                guard unsafe unlinkat(descriptor, name, 0) == 0 || clinux_errno() == ENOENT else {
                    throw .lastSystemError("remove", place)
                }
            }
        }
    }
}
