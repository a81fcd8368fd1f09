import BlockStorage
import BootModel
import CLinux
import Foundation
import Logging
import Synchronization

/// The block devices that belong to nodes: thin files, made when a boot first asks for them.
final class VolumeStore: Sendable {
    private struct Weak { weak var storage: FileStorage? }

    private let state: StateDirectory
    private let catalog: any ImageCatalog
    private let logger: Logger
    /// Each file is open once; held while a volume is made or grows, which nobody else must see half done.
    private let open = Mutex<[String: Weak]>([:])

    init(state: StateDirectory, catalog: any ImageCatalog, logger: Logger) {
        self.state = state
        self.catalog = catalog
        self.logger = logger
    }

    /// The device that `grants` name for `kind`; throws one line that says what is wrong.
    ///
    /// A volume has `size` bytes at least, where that is more than the boot was granted. One that must grow is in use when the
    /// node lost its power, or keeps it while it grows: `ending` ends that use, and returns when it is over. Nil looks at the
    /// volume as it is.
    func storage(
        _ kind: VolumeKind,
        for grants: BootGrants,
        size: Int64? = nil,
        ending: (() -> Void)? = nil
    ) throws -> FileStorage {
        guard let grant = grants.volumes.first(where: { $0.kind == kind }) else {
            throw SetupError("boot \(grants.boot) of \(grants.node) has no \(kind.rawValue)")
        }
        let path = path(kind, grants)
        let wanted = max(grant.size ?? RootPlan.volumeSize, size ?? 0)
        let now = Self.size(path)
        guard let ending else {
            guard now != nil else {
                throw SetupError("the \(kind.rawValue) of \(grants.node) is made when its node opens it")
            }
            return try open.withLock { try $0[path]?.storage ?? FileStorage(path: path, writable: true) }
        }
        var mustGrow = false
        if kind == .volume, let now, now < wanted {
            mustGrow = true
            ending()
        }
        return try open.withLock { open in
            if !mustGrow, let storage = open[path]?.storage { return storage }
            open = open.filter { $0.value.storage != nil }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            switch kind {
            case .volume: try prepareVolume(path, size: wanted, node: grants.node)
            case .swap: try prepareSwap(path, size: grant.size ?? 0)
            case .shared: try prepareShared(path, image: grants.image)
            }
            let storage = try FileStorage(path: path, writable: true)
            open[path] = Weak(storage: storage)
            return storage
        }
    }

    /// Where a boot's device lies.
    func path(_ kind: VolumeKind, _ grants: BootGrants) -> String {
        switch kind {
        case .volume: state.volume(of: grants.node)
        case .swap: "\(state.nodes)/\(grants.node)/swap-\(grants.boot)"
        case .shared: "\(state.shared)/\(grants.image)/root"
        }
    }

    /// Makes the volume with an empty ext4, or lets the device grow to `size`; what is written stays.
    private func prepareVolume(_ path: String, size: Int64, node: NodeName) throws {
        guard let now = Self.size(path) else {
            let draft = "\(path).new"
            try Self.makeSparse(draft, size: size)
            try HostTool.run("mkfs.ext4", ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", draft])
            try Self.keep(draft, as: path)
            logger.info("made a volume of \(size >> 20) MiB", metadata: ["node": "\(node)"])
            return
        }
        if now > size {
            logger.notice(
                "the volume has \(now >> 20) MiB, more than the \(size >> 20) MiB that it is to have: it stays",
                metadata: ["node": "\(node)"]
            )
        }
        guard now < size else { return }
        do throws(BlockError) {
            let file = try RandomAccessFile(path: path, flags: O_RDWR)
            try file.resize(to: UInt64(size))
            // The node must not be told of bytes that a power cut of this server takes back.
            try file.sync()
        } catch {
            logger.warning(
                "the volume cannot grow from \(now >> 20) to \(size >> 20) MiB: it stays",
                metadata: ["node": "\(node)", "why": "\(error.reason)"]
            )
            return
        }
        // The node lets its file system grow: when it mounts it, or while it uses it.
        logger.info("the volume grew to \(size >> 20) MiB", metadata: ["node": "\(node)"])
        if let free = Self.free(path), free < size - now {
            logger.warning(
                "the disk of this server has \(free >> 20) MiB left, less than the volume grew by: writes may find no room",
                metadata: ["node": "\(node)"]
            )
        }
    }

    /// Whether the volume that `grants` name has less than `size` bytes.
    func isSmaller(_ grants: BootGrants, than size: Int64) -> Bool {
        Self.size(path(.volume, grants)).map { $0 < size } ?? false
    }

    /// Swap holds nothing from one boot to the next: what earlier boots left is dropped.
    private func prepareSwap(_ path: String, size: Int64) throws {
        let file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent().path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix("swap-") && name != file.lastPathComponent {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        guard Self.size(path) == nil else { return }
        try Self.makeSparse(path, size: size)
        FileStorage.forgetFailure(of: path)
    }

    /// A copy of the image that may be written to, made once; with reflinks it costs nothing.
    private func prepareShared(_ path: String, image: ImageVersionID) throws {
        guard Self.size(path) == nil else { return }
        let draft = "\(path).new"
        let source = try catalog.path(of: .root, in: image)
        try HostTool.run("cp", ["--reflink=auto", "--sparse=always", "--no-preserve=mode", source, draft])
        try Self.keep(draft, as: path)
    }

    private static func size(_ path: String) -> Int64? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// Bytes that the file system of `path` has left.
    private static func free(_ path: String) -> Int64? {
        var status = statvfs()
        return unsafe statvfs(path, &status) == 0
            ? Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize)) : nil
    }

    private static func makeSparse(_ path: String, size: Int64) throws {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SetupError("cannot make \(path): \(BlockError(clinux_errno()))") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, Int(size)) == 0 else {
            throw SetupError("cannot make \(path) of \(size) bytes: \(BlockError(clinux_errno()))")
        }
    }

    /// Gives a finished file its name; both are on stable storage when this returns.
    private static func keep(_ draft: String, as path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for place in [draft, folder] {
            let descriptor = unsafe clinux_open(place, O_RDONLY | O_CLOEXEC, 0)
            guard descriptor >= 0, fsync(descriptor) == 0 else { throw SetupError("cannot keep \(place)") }
            close(descriptor)
            if place == draft, unsafe rename(draft, path) != 0 { throw SetupError("cannot make \(path)") }
        }
        FileStorage.forgetFailure(of: path)
    }

    // MARK: One writer

    /// Makes this boot the writer of its image's shared copy; the boot that is, when there is another.
    ///
    /// Kept on the disk: also after a restart of the server the first one stays the writer, until its node boots anew.
    func claimShared(_ grants: BootGrants, isUnderWay: (VolumeName) -> Bool) throws -> VolumeName? {
        let path = "\(state.shared)/\(grants.image)/writer"
        let own = VolumeName(.shared, grants.node, grants.boot)
        return try open.withLock { _ in
            let text = (try? String(contentsOfFile: path, encoding: .utf8))?.filter { !$0.isNewline }
            if let writer = text.flatMap({ VolumeName($0) }) {
                if writer == own { return nil }
                if writer.node != own.node, isUnderWay(writer) { return writer }
            }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try DurableFile.write(Data("\(own)\n".utf8), to: path)
            return nil
        }
    }
}
