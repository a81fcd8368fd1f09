import AdminAPI
import ArgumentParser
import CLinux
import Daemon
import Foundation

/// `diskless backup FILE`: everything but images, while the server runs.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Save everything but images into one file.",
        discussion: """
            The registry is copied as of one moment while it is in use; the other folders of the state directory as they \
            are read. Left out: images, and the copy-on-write layers that a node's next boot drops. The file holds secrets \
            and is readable by you alone.
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
                    "--numeric-owner", "--transform", "s,^\(copy.file)$,registry.sqlite,", copy.file,
                ] + folders
            )
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
    }

    /// Whether a name of the state directory goes into a backup, besides the copy of the registry.
    static func isSaved(_ name: String) -> Bool {
        ![
            "images", "cow", "roots", "mnt", "cache", "lock", "registry.sqlite", "registry.sqlite-wal",
            "registry.sqlite-shm",
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
            Files of the other folders replace those of the same name.
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
        try Archive.tar(common + ["--exclude", "registry.sqlite", "--wildcards", "--no-wildcards-match-slash"])
        Output.line("restored; \(reply.changes.count) entries of the fleet differ from before")
    }
}
