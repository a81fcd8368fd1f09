public import BootModel
import CLinux
import Foundation
public import NetworkIO

/// The directory that holds everything this program keeps: registry, images, copy-on-write layers, loaders.
public struct StateDirectory: Sendable {
    /// Its absolute path.
    public let path: String

    /// Where it is unless `--state` says otherwise.
    public static let defaultPath = "/var/lib/diskless"

    /// The directory at `path`, made absolute; it need not exist yet.
    public init(_ path: String = defaultPath) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// The registry's database.
    public var registry: String { "\(path)/registry.sqlite" }
    /// Images and their versions.
    public var images: String { "\(path)/images" }
    /// Private copy-on-write layers, one folder a node.
    public var layers: String { "\(path)/cow" }
    /// Which disks of boots have writes that no flush has covered, one folder a node.
    public var unflushed: String { "\(path)/unflushed" }
    /// Private layers over images that are served as trees, one folder a node.
    public var trees: String { "\(path)/roots" }
    /// What belongs to each node: its kept root, its volume, its state.
    public var nodes: String { "\(path)/nodes" }
    /// The layers and copies that all nodes of an image version write to.
    public var shared: String { "\(path)/shared" }
    /// What the boots under way may use, one file a node.
    public var grants: String { "\(path)/grants" }
    /// Where this process, and nobody else, sees images and layers mounted.
    public var mounts: String { "\(path)/mnt" }
    /// The key of the NFS server's file handles.
    public var handleKey: String { "\(path)/nfs-handles.key" }
    /// Which clients of NFSv4 may claim after a restart what they had.
    public var nfsClients: String { "\(path)/nfs-clients" }
    /// The newest replies of NFS to calls that must not be done twice.
    public var nfsReplies: String { "\(path)/nfs-replies" }
    /// The kept root of a node, as changes over its image.
    public func root(of node: NodeName) -> String { "\(nodes)/\(node)/root" }
    /// The volume of a node with `writes: keep`.
    public func volume(of node: NodeName) -> String { "\(nodes)/\(node)/volume" }
    /// What a node's `state:` paths hold.
    public func state(of node: NodeName) -> String { "\(nodes)/\(node)/state" }
    /// Loaders of the user's own, which win over the distribution's.
    public var loaders: String { "\(path)/loaders" }
    /// Loaders that were made here; they are made again when they are missing.
    public var madeLoaders: String { "\(path)/cache/loaders" }
    /// Sets of overlay files.
    public var files: String { "\(path)/files" }
    /// What nodes' overlay files were at their last boots; for root alone.
    public var overlays: String { "\(path)/overlays" }
    /// Where the admin API listens: in /run for the default state, else inside, so that labs need no root paths.
    public var adminSocket: String {
        path == Self.defaultPath ? "/run/diskless/admin.sock" : "\(path)/admin.sock"
    }

    /// Makes it and its folders, and takes it for this process alone.
    ///
    /// Throws `StateDirectoryTaken` when another server has it, and `SystemCallError` when it cannot be made. Keep the
    /// result: the lock ends with it.
    public func take() throws -> FileDescriptor {
        for folder in [path, images, layers, loaders, files] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o755]
                )
            } catch {
                throw SystemCallError("make the state directory \(folder)")
            }
        }
        let lock = try FileDescriptor(
            "open \(path)/lock",
            unsafe clinux_open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        )
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            throw StateDirectoryTaken(path: path)
        }
        ftruncate(lock.number, 0)
        let process = "\(getpid())\n"
        _ = unsafe write(lock.number, process, process.utf8.count)
        return lock
    }
}

/// Another server uses the state directory.
public struct StateDirectoryTaken: Error, Equatable, Sendable, CustomStringConvertible {
    /// The directory.
    public var path: String

    /// One line, with the process that holds it.
    public var description: String {
        let process = (try? String(contentsOfFile: "\(path)/lock", encoding: .utf8))?.filter(\.isNumber) ?? ""
        return "another diskless server\(process.isEmpty ? "" : " (process \(process))") uses \(path):"
            + " stop it, or give this one a directory of its own with --state"
    }
}
