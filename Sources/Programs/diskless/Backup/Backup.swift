import AdminAPI
import ArgumentParser
import BootModel
import CLinux
import Daemon
import Foundation

/// `diskless backup FILE`: everything but images, while the server runs.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Save everything but images into one file.",
        discussion: """
            The registry is copied as of one moment while it is in use; the other folders of the state directory as they \
            are read. Left out: images; what a node's next boot drops (copy-on-write layers, swap); and of nodes that run, \
            volumes and shared images, which a copy would tear: they are named, and 'diskless node snapshot' copies them \
            when the node is off. The file holds secrets and is readable by you alone.
            """
    )

    @Argument(help: "The file to make, a tar archive.")
    var file: String
    @Flag(help: "Replace the file when it is there.")
    var force = false
    @OptionGroup var server: ServerOption

    func run() throws {
        guard unsafe force || access(file, F_OK) != 0 else {
            throw ArchiveFailure(description: "\(file) is there already: choose another name, or say --force")
        }
        let state = server.state.directory.path
        let copy = try server.client.copyRegistry()
        defer { try? FileManager.default.removeItem(atPath: "\(state)/\(copy.file)") }
        let folders = try FileManager.default.contentsOfDirectory(atPath: state).filter(Self.isSaved).sorted()
        let running = try RunningStorage(server.client)
        // Made beside the target and renamed: a backup is whole, or not there.
        let unfinished = "\(file).unfinished"
        let descriptor = unsafe clinux_open(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
            throw ArchiveFailure(description: "\(file): \(unsafe String(cString: strerror(clinux_errno())))")
        }
        defer { close(descriptor) }
        do {
            try Archive.tar(
                [
                    "--create", "--file", unfinished, "--directory", state, "--sparse", "--xattrs", "--acls",
                    "--numeric-owner", "--exclude=nodes/*/swap-*", "--exclude=nodes/*/.restoring-*",
                    "--exclude=nodes/*/snapshots/.*",
                ] + running.devices.map { "--exclude=\($0)" }
                    + ["--transform", "s,^\(copy.file)$,registry.sqlite,", copy.file] + folders
            )
            let torn = Set(try RunningStorage(server.client).devices).subtracting(running.devices).sorted()
            guard torn.isEmpty else {
                throw ArchiveFailure(
                    description:
                        "a node began to write to \(torn.joined(separator: ", ")) while it was copied: try again"
                )
            }
        } catch {
            _ = unsafe unlink(unfinished)
            throw error
        }
        fsync(descriptor)
        guard unsafe rename(unfinished, file) == 0 else {
            throw ArchiveFailure(description: "\(file): \(unsafe String(cString: strerror(clinux_errno())))")
        }
        let with = folders.isEmpty ? "" : " with \(folders.joined(separator: ", "))"
        Output.line("saved the registry\(with) in \(file)")
        for device in running.devices {
            Output.note("left out: \(device), which a node writes to now; copy it when that node is off")
        }
    }

    /// Whether a name of the state directory goes into a backup, besides the copy of the registry.
    static func isSaved(_ name: String) -> Bool {
        ![
            "images", "cow", "unflushed", "roots", "mnt", "cache", "lock", "registry.sqlite", "registry.sqlite-wal",
            "registry.sqlite-shm", "leases-0.journal", "leases-1.journal",
        ].contains(
            name
        )
            && !name.hasSuffix(".sock") && !name.hasPrefix("backup-") && !name.hasPrefix("restore-")
    }
}

/// `diskless restore FILE`: what `backup` saved, while the server runs.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make everything but images what a backup holds.",
        discussion: """
            The fleet, the users, the tags and the past become what they were, all at once; machines act on it from \
            their next request on. Addresses that are given out now stay; a server without any takes those of the backup. \
            Files of the other folders replace those of the same name, but for what is kept for nodes that run and what \
            boots under way may use: a server that knows of no boot takes these too, and acts on them after its next start.
            """
    )

    @Argument(help: "The file that 'diskless backup' made.")
    var file: String
    @OptionGroup var server: ServerOption

    func run() throws {
        let state = server.state.directory.path
        let name = "restore-\(UUID().uuidString.lowercased()).sqlite"
        defer { try? FileManager.default.removeItem(atPath: "\(state)/\(name)") }
        let common = ["--extract", "--file", file, "--directory", state, "--xattrs", "--acls", "--numeric-owner"]
        try Archive.tar(common + ["--transform", "s,^registry.sqlite$,\(name),", "registry.sqlite"])
        let reply = try server.client.restoreRegistry(RegistryCopy(file: name, bytes: 0))
        let running = try RunningStorage(server.client)
        var kept = ["registry.sqlite", "leases-0.journal", "leases-1.journal"] + running.folders
        // The handles and grants of nodes that run must stay what they are.
        let grants = (try? FileManager.default.contentsOfDirectory(atPath: server.state.directory.grants)) ?? []
        if !grants.isEmpty { kept += ["grants", "nfs-handles.key"] }
        try Archive.tar(common + kept.map { "--exclude=\($0)" })
        for folder in running.folders {
            Output.note("left as it is: \(folder), which a node uses now; restore again when that node is off")
        }
        Output.line("restored; \(reply.changes.count) entries of the fleet differ from before")
    }
}

/// What nodes that run have open in the state directory, by paths in it.
private struct RunningStorage {
    /// Files that they write to as block devices, so that a copy of them is torn.
    var devices: [String] = []
    /// Folders that hold something of theirs.
    var folders: [String] = []

    init(_ client: AdminClient) throws {
        for node in try client.storage() where node.isConnected {
            if node.parts.contains(where: { $0.kind == "volume" }) { devices.append("nodes/\(node.node)/volume") }
            folders.append("nodes/\(node.node)")
        }
        let images = Set(try client.status().server.roots.map(\.image))
        for image in images.map(\.description).sorted() {
            devices.append("shared/\(image)/root")
            folders.append("shared/\(image)")
        }
        let state = try client.status().server.stateDirectory
        let isThere: (String) -> Bool = { FileManager.default.fileExists(atPath: "\(state)/\($0)") }
        devices = devices.filter(isThere)
        folders = folders.filter(isThere)
    }
}
