import ArgumentParser
import CLinux
import Daemon
import FileTree
import Logging
import NFS4
import NFSServer
import NetworkTypes

/// `diskless serve nfs DIR`: one directory over NFS versions 3 and 4, without configuration.
struct ServeNFS: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nfs",
        abstract: "Serve a directory over NFS versions 3, 4.0, 4.1 and 4.2, under its own path.",
        discussion: """
            MOUNT answers on the same port, so clients of version 3 need port= and mountport=, and nolock. Without --writable nothing can \
            be changed.
            """
    )

    @Argument(help: "The directory to serve.", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("The address and port to listen on; ':PORT' for every address.", valueName: "addr:port"))
    var listen: String = "127.0.0.1:2049"

    @Flag(help: "Let clients change the files.")
    var writable = false

    @Flag(
        help: "Do not wait for the disk: a power cut may lose what clients were told is done. For trees to throw away."
    )
    var volatile = false

    @Option(help: ArgumentHelp("Whose names are not believed: root, all or none.", valueName: "whom"))
    var squash: SquashRule.Whom = .root

    @Option(
        help: ArgumentHelp(
            "Where the key of file handles and the clients' names are kept: they go on after a restart with them (default: \(StateDirectory.defaultPath)).",
            valueName: "dir"
        ),
        completion: .directory
    )
    var state: String?

    @Option(help: ArgumentHelp("How long a silent client of version 4 keeps what it has open.", valueName: "seconds"))
    var lease: Int = 60

    @Flag(help: "Tell clients the port on 111, UDP and TCP, for those that cannot be told otherwise.")
    var portmap = false

    @Flag(help: "Give no delegations to clients of version 4.")
    var noDelegations = false

    /// It has options of the same names, and takes theirs of the command line first.
    @ParentCommand var serve: Serve

    func validate() throws {
        guard (5...3600).contains(lease) else {
            throw ValidationError("a lease of \(lease) seconds does not work: write 5 to 3600")
        }
    }

    func run() throws {
        guard let endpoint = Endpoint(listen) else {
            throw ValidationError("'\(listen)' is not ADDRESS:PORT: write for example 10.0.0.1:2049, or :2049")
        }
        guard geteuid() == 0 else {
            throw ValidationError("serving NFS needs root: files are opened with the rights of the callers")
        }
        guard let path = canonicalPath() else {
            throw ValidationError("\(directory): \(unsafe String(cString: strerror(clinux_errno())))")
        }
        let state = state ?? serve.state ?? StateDirectory.defaultPath
        _ = unsafe mkdir(state, 0o755)
        StopSignal.block()
        let logger = Logger(label: "nfs")
        let key = try HandleKey.kept(at: "\(state)/nfs-handles.key")
        let cache = ObjectCache.fittingDescriptorLimit()
        let tree = try FileTree(path: path, identity: key.identity(ofPath: path), key: key, cache: cache)
        let export = NFSExport(
            path: path,
            tree: tree,
            isWritable: writable,
            squash: SquashRule(squash),
            isVolatile: volatile,
            hasAccessLists: true
        )
        var limits = NFSServer.Limits()
        limits.version4.lease = UInt64(lease) * 1000
        limits.version4.givesDelegations = !noDelegations
        let server = try NFSServer(
            listen: endpoint,
            source: FixedNFSExports([export]),
            cache: cache,
            logger: logger,
            limits: limits,
            records: "\(state)/nfs-clients",
            journal: "\(state)/nfs-replies",
            name: "diskless-\(String(key.identity(ofPath: "/"), radix: 16))"
        )
        try server.start()
        let mapper =
            portmap || serve.portmap
            ? try PortmapServer(on: endpoint.address, beside: server, logger: logger) : nil
        try mapper?.start()
        let mode = writable ? "writable" : "read-only"
        logger.info("serving \(path) on TCP \(server.endpoint), \(mode), squashing \(squash.rawValue)")
        StopSignal.wait()
        mapper?.stop()
        server.stop()
    }

    private func canonicalPath() -> String? {
        guard let resolved = unsafe realpath(directory, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}

extension SquashRule.Whom: ExpressibleByArgument {}
