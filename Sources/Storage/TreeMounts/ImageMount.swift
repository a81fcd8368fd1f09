import CLinux

/// A root file (squashfs, erofs, ext4, btrfs) mounted read-only for as long as this lives.
public final class ImageMount: Sendable {
    /// The directory that shows its files.
    public let path: String

    /// Mounts `file` at the directory `path`, which is made.
    ///
    /// `type` is the kernel's name of the file system. Throws with the reason.
    public init(_ file: String, type: String, at path: String) throws(MountError) {
        self.path = path
        try makeDirectories(path)
        let image = unsafe clinux_open(file, O_RDONLY | O_CLOEXEC, 0)
        guard image >= 0 else { throw MountError("open \(file)", clinux_errno()) }
        defer { close(image) }
        let control = unsafe clinux_open("/dev/loop-control", O_RDWR | O_CLOEXEC, 0)
        guard control >= 0 else { throw MountError("use loop devices (/dev/loop-control)", clinux_errno()) }
        defer { close(control) }
        var number: CInt = -1
        var device: CInt = -1
        // Another process may take the free device first.
        for _ in 0..<64 {
            device = unsafe clinux_attach_loop(control, image, &number)
            if device >= 0 || clinux_errno() != EBUSY { break }
        }
        guard device >= 0 else { throw MountError("attach \(file) to a loop device", clinux_errno()) }
        // The mount keeps the device from here on.
        defer { close(device) }
        let flags = UInt(MS_RDONLY) | UInt(MS_NODEV) | UInt(MS_NOATIME)
        // The journal of an image that was not unmounted must not be replayed: the image never changes.
        let options = type == "ext4" ? "noload" : ""
        guard unsafe mount("/dev/loop\(number)", path, type, flags, options) == 0 else {
            throw MountError("mount \(file) as \(type)", clinux_errno())
        }
    }

    deinit { _ = unsafe umount2(path, CInt(MNT_DETACH)) }
}

/// Makes a directory and those above it; throws when one cannot be made.
func makeDirectories(_ path: String) throws(MountError) {
    var place = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        place += "/\(part)"
        guard unsafe mkdir(place, 0o755) == 0 || clinux_errno() == EEXIST else {
            throw MountError("make \(place)", clinux_errno())
        }
    }
}
