internal import CLinux
internal import CPIO

/// Collects what a Raspberry Pi's firmware fetches before the kernel: the tree's /boot/firmware, or what Debian's package
/// raspi-firmware would copy there.
enum RaspberryPiFirmware {
    /// More than this is no firmware, in bytes.
    private static let limit = 256 << 20

    /// A cpio archive of the files, directories left out; nil when the tree has none.
    ///
    /// Kernels and initramfs archives stay out: the image has its own.
    static func archive(tree: String, release: String) throws(BuildError) -> [UInt8]? {
        var files: [(name: String, path: String)] = []
        collect("\(tree)/boot/firmware", "", &files)
        if !files.contains(where: { $0.name.hasPrefix("start") && $0.name.hasSuffix(".elf") }) {
            files = []
            collect("\(tree)/usr/lib/raspi-firmware", "", &files)
            guard !files.isEmpty else { return nil }
            let devices = "\(tree)/usr/lib/linux-image-\(release)"
            for name in HostFile.names(in: "\(devices)/broadcom") where name.hasSuffix(".dtb") {
                files.append((name, "\(devices)/broadcom/\(name)"))
            }
            collect("\(devices)/overlays", "overlays/", &files)
        }
        var writer = CPIOWriter()
        var size = 0
        for file in files.sorted(by: { $0.name < $1.name }) {
            let base = file.name.split(separator: "/").last ?? ""
            if base.hasPrefix("vmlinuz") || base.hasPrefix("initrd") || base.hasPrefix("initramfs") { continue }
            if base.hasPrefix("kernel"), base.hasSuffix(".img") { continue }
            guard let bytes = try read(file.path, room: limit - size) else { continue }
            size += bytes.count
            do {
                try writer.add(.file(file.name, bytes))
            } catch {
                throw .badTree("\(file.name) of the Raspberry Pi's firmware: \(error)")
            }
        }
        return size > 0 ? writer.finish() : nil
    }

    /// Regular files below a directory, `overlays/` and the like included; links are not followed.
    private static func collect(_ directory: String, _ prefix: String, _ files: inout [(name: String, path: String)]) {
        for name in HostFile.names(in: directory) {
            var status = stat()
            let path = "\(directory)/\(name)"
            guard unsafe lstat(path, &status) == 0 else { continue }
            switch status.st_mode & 0o170000 {
            case 0o040000 where prefix.utf8.count(where: { $0 == UInt8(ascii: "/") }) < 4:
                collect(path, "\(prefix)\(name)/", &files)
            case 0o100000: files.append(("\(prefix)\(name)", path))
            default: break
            }
        }
    }

    private static func read(_ path: String, room: Int) throws(BuildError) -> [UInt8]? {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        guard Int(status.st_size) <= room else {
            throw .badTree("the Raspberry Pi's firmware has more than \(limit >> 20) MiB")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe CLinux.read(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw .system(action: "read", path: path, code: clinux_errno()) }
            done += count
        }
        return bytes
    }

    /// Writes an archive to a new file.
    static func write(_ bytes: [UInt8], to path: String) throws(BuildError) {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(action: "write", path: path, code: clinux_errno()) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw .system(action: "write", path: path, code: clinux_errno()) }
            done += count
        }
    }
}
