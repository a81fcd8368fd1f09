import CLinux

/// What nodes changed of an image's tree: the upper layer of an overlay, in a directory of its own.
///
///     upper/   the changed files, and marks for the removed ones
///     work/    overlayfs' own, with the index that keeps file handles valid
///     base     the image that the handles in upper/ and work/ speak of
///     count    how often the layer was laid over another image, so that handles of before are not taken for others
public struct TreeLayer: Sendable {
    /// The directory.
    public let path: String

    /// The layer in a directory that need not exist yet.
    public init(_ path: String) { self.path = path }

    private var upper: String { "\(path)/upper" }
    private var work: String { "\(path)/work" }

    /// Makes the layer fit for `base` (an image's digest): new where there is none, without the old handles when it lay
    /// over another image before.
    ///
    /// Gives how often that has happened. The layer must not be mounted. Throws `MountError`.
    public func prepare(base: String) throws(MountError) -> Int {
        try makeDirectories(upper)
        try makeDirectories(work)
        let known = OneLine.read("\(path)/base")
        var count = count
        guard known != base else { return count }
        if known != nil {
            count += 1
            // Counted before anything changes: a count that is too high does no harm.
            try OneLine.write("\(count)", to: "\(path)/count")
            try remove(work)
            try makeDirectories(work)
            try forgetOrigins(upper, depth: 0)
        }
        try OneLine.write(base, to: "\(path)/base")
        return count
    }

    /// How often the layer was laid over another image than before.
    public var count: Int { OneLine.read("\(path)/count").flatMap { Int($0) } ?? 0 }

    /// The image that the layer lies over; nil for a new one.
    public var base: String? { OneLine.read("\(path)/base") }

    /// Mounts the layer over the tree at `lower`, at the directory `target`, which is made.
    ///
    /// Handles stay valid over copy-up, rename and a new mount. Throws with EBUSY while an older mount of it is still there.
    public func mount(over lower: String, at target: String) throws(MountError) {
        try makeDirectories(target)
        let options =
            "lowerdir=\(lower),upperdir=\(upper),workdir=\(work),index=on,nfs_export=on,redirect_dir=on,metacopy=off,xino=on"
        let flags = UInt(MS_NODEV) | UInt(MS_NOATIME)
        guard unsafe CLinux.mount("overlay", target, "overlay", flags, options) == 0 else {
            let number = clinux_errno()
            // So the kernel says it of upper layers on an overlay, on NFS, or without names' types.
            let advice =
                "its file system cannot hold a layer, as an overlay (a container's root) and NFS cannot:"
                + " have the state directory on ext4, xfs or btrfs"
            throw MountError("lay \(path) over the image", number, advice: number == EINVAL ? advice : nil)
        }
    }

    /// Tries whether layers can be kept in the directory `path`, with one of its own that is gone afterwards.
    ///
    /// Throws `MountError`.
    public static func tryOut(in path: String) throws(MountError) {
        defer { try? DirectoryNames.removeTree(path, depth: 0) }
        try makeDirectories("\(path)/lower")
        let layer = TreeLayer("\(path)/layer")
        _ = try layer.prepare(base: "none")
        try layer.mount(over: "\(path)/lower", at: "\(path)/target")
        unmount("\(path)/target")
    }

    /// Throws with EBUSY while the layer is mounted anywhere; asked before `prepare` for another image.
    public func probe(at target: String) throws(MountError) {
        try makeDirectories("\(path)/none")
        try makeDirectories(target)
        // Whether another mount has the upper directory is asked before anything is compared with the lower tree; what a
        // mount notes in it is forgotten when another image comes below, which is what this is asked for.
        let options = "lowerdir=\(path)/none,upperdir=\(upper),workdir=\(path)/probe,index=on"
        try makeDirectories("\(path)/probe")
        defer { try? DirectoryNames.removeTree("\(path)/probe", depth: 0) }
        if unsafe CLinux.mount("overlay", target, "overlay", 0, options) == 0 {
            _ = unsafe umount2(target, CInt(MNT_DETACH))
        } else if clinux_errno() == EBUSY {
            throw MountError("use \(path)", EBUSY)
        }
    }

    /// Ends a mount that was made with `mount`; who still uses its files keeps them.
    public static func unmount(_ target: String) { _ = unsafe umount2(target, CInt(MNT_DETACH)) }

    /// Removes the layer and all that was changed.
    public func remove() throws(MountError) {
        // Without the base nothing in it counts: a removal that is cut short leaves nothing that looks good.
        _ = unsafe unlink("\(path)/base")
        try remove(path)
    }

    /// Begins the layer anew, empty; handles of before mean nothing any more.
    public func clear() throws(MountError) {
        let count = count
        guard OneLine.read("\(path)/base") != nil else { return try remove() }
        try remove()
        try makeDirectories(path)
        try OneLine.write("\(count + 1)", to: "\(path)/count")
    }

    /// Takes the layer's handles for void: it is a copy of one that was elsewhere.
    public func forgetHandles(after count: Int) throws(MountError) {
        try OneLine.write("\(max(count, self.count) + 1)", to: "\(path)/count")
        // Laid over any image it is made fit for that one, as after an update.
        try OneLine.write("copied", to: "\(path)/base")
    }

    /// What overlayfs noted of the image below: handles that another image cannot have.
    private static let origins = ["origin", "impure", "uuid", "nlink", "protattr"]

    private func forgetOrigins(_ place: String, depth: Int) throws(MountError) {
        guard depth < 512 else { throw MountError("go through \(place)", ENAMETOOLONG) }
        for name in Self.origins { _ = unsafe lremovexattr(place, "trusted.overlay.\(name)") }
        var status = stat()
        guard unsafe lstat(place, &status) == 0 else { throw MountError("look at \(place)", clinux_errno()) }
        guard CInt(bitPattern: status.st_mode) & S_IFMT == S_IFDIR else { return }
        for name in try DirectoryNames.of(place) { try forgetOrigins("\(place)/\(name)", depth: depth + 1) }
    }

    private func remove(_ place: String) throws(MountError) { try DirectoryNames.removeTree(place, depth: 0) }
}
