import ArgumentParser
import BlockStorage
import CLinux
import Logging
import NBDServer
import NetworkTypes

/// `diskless serve nbd FILE`: one file or block device over NBD, without configuration.
struct ServeNBD: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nbd",
        abstract: "Serve a file or a block device over NBD, under every export name.",
        discussion: "Without --writable and --cow the file is served read-only."
    )

    @Argument(help: "The file or block device to serve.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The address and port to listen on; ':PORT' for every address.", valueName: "addr:port"))
    var listen: String = "127.0.0.1:10809"

    @Flag(help: "Let clients change the file itself.")
    var writable = false

    @Option(
        help: ArgumentHelp(
            "Keep changes in this directory and the file as it is; a later run with the same directory goes on with them.",
            valueName: "dir"
        ),
        completion: .directory
    )
    var cow: String?

    @OptionGroup var tls: TLSOptions

    func validate() throws {
        if writable, cow != nil {
            throw ValidationError("--writable changes the file and --cow never does: choose one")
        }
    }

    func run() throws {
        guard let endpoint = Endpoint(listen) else {
            throw ValidationError("'\(listen)' is not ADDRESS:PORT: write for example 10.0.0.1:10809, or :10809")
        }
        let logger = Logger(label: "nbd")
        let base = try FileStorage(path: file, writable: writable)
        var storage: any BlockStorage = base
        if let cow {
            storage = try CopyOnWriteLayers().open(directory: cow, over: base, identity: identity())
        }
        let server = try NBDServer(
            listen: endpoint,
            source: SingleExport(storage, text: file),
            logger: logger,
            encryption: try tls.encryption()
        )
        try server.start()
        let mode = cow.map { "changes kept in \($0)" } ?? (writable ? "writable" : "read-only")
        logger.info("serving \(file) on TCP \(server.endpoint), \(mode)")
        StopSignal.wait()
        server.stop()
        try storage.flush()
    }

    /// Tells this file's content from what it was before somebody changed it.
    private func identity() -> String {
        var status = stat()
        guard unsafe stat(file, &status) == 0 else { return file }
        return "\(file) changed \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}
