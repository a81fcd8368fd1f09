import ArgumentParser
import HTTPServer
import Logging
import NetworkIO
import NetworkTypes

/// `diskless serve http DIR`: one directory over HTTP, without configuration.
struct ServeHTTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract: "Serve the files below a directory over HTTP, read only."
    )

    @Argument(help: "The directory to serve.", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("The address and port to listen on; ':PORT' for every address.", valueName: "addr:port"))
    var listen: String = ":8067"

    @Flag(name: .shortAndLong, help: "Print a line for each request.")
    var verbose = false

    func run() throws {
        guard let endpoint = Endpoint(listen) else {
            throw ValidationError("'\(listen)' is not ADDRESS:PORT: write for example 10.0.0.1:8067, or :8067")
        }
        var logger = Logger(label: "http")
        logger.logLevel = verbose ? .debug : .info
        let reports = logger
        let tell: @Sendable (HTTPReport) -> Void = { reports.debug("\(Self.line($0))") }
        let handler = try HTTPDirectory(directory, report: verbose ? tell : nil)
        let server = try HTTPServer(on: StreamListener(tcp: endpoint), handler: handler, logger: logger)
        logger.info("serving \(directory) on \(server.place)")
        StopSignal.wait()
        server.stop()
    }

    private static func line(_ report: HTTPReport) -> String {
        let request = report.request
        return "\(request.peer) \(request.method) \(request.path): \(report.status), \(report.bytes) bytes, "
            + "\(report.seconds) s\(report.isComplete ? "" : ", cut off")"
    }
}
