import ArgumentParser
import Logging
import NetworkIO
import NetworkTypes
import TFTP
import TFTPServer

/// `diskless serve tftp DIR`: one directory over TFTP, without configuration.
struct ServeTFTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tftp",
        abstract: "Serve the files below a directory over TFTP, read only."
    )

    @Argument(help: "The directory to serve.", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("The address and port to listen on; ':PORT' for every address.", valueName: "addr:port"))
    var listen: String = ":69"

    @Flag(help: "Answer every transfer from the listening port, for NAT and containers that publish one port.")
    var singlePort = false

    @Option(help: "How many threads send.")
    var threads = 1

    @Flag(name: .shortAndLong, help: "Print a line for each transfer.")
    var verbose = false

    func run() throws {
        guard let endpoint = Endpoint(listen) else {
            throw ValidationError("'\(listen)' is not ADDRESS:PORT: write for example 10.0.0.1:69, or :69")
        }
        var logger = Logger(label: "tftp")
        logger.logLevel = verbose ? .debug : .info
        let reports = logger
        let source = try DirectoryContentSource(directory) { report in
            reports.debug("\(Self.line(report))")
        }
        var options = TFTPServerOptions()
        options.usesSinglePort = singlePort
        options.threads = max(1, threads)
        let server = try TFTPServer(on: endpoint, source: source, options: options, logger: logger)
        logger.info("serving \(directory) on UDP \(server.endpoint)")
        StopSignal.wait()
        server.stop()
    }

    private static func line(_ report: TFTPTransferReport) -> String {
        let end =
            switch report.outcome {
            case .complete: "complete"
            case .probed: "only looked at"
            case .aborted(_, let message): "aborted: \(message)"
            case .timedOut: "given up: the client fell silent"
            }
        return "\(report.request.peer) '\(report.request.name)' \(report.bytes) of \(report.size) bytes, "
            + "blksize \(report.blockSize), windowsize \(report.windowSize), \(report.seconds) s: \(end)"
    }
}
