public import ArgumentParser
public import BootModel
import Daemon
public import FleetFile
import Foundation
import Logging
import NBDServer
import NetworkIO
import TLSTunnel
import TreeMounts

extension BootModel.Network.DHCPMode: ExpressibleByArgument {}
extension ServerConfiguration.LogLevel: ExpressibleByArgument {}

/// `diskless serve`: the daemon, or one protocol alone.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server.",
        discussion: """
            With --interface any machine on that network boots the newest image, beside the DHCP server that is there; \
            with --dhcp full this server gives out the addresses. Without it, the networks of the registry are served: \
            see 'diskless apply'. The command line wins over the configuration file. A subcommand runs one protocol \
            alone, without any configuration.
            """,
        subcommands: [ServeNBD.self, ServeNFS.self, ServeTFTP.self, ServeHTTP.self]
    )

    @Option(
        help: ArgumentHelp(
            "The server's configuration (default: \(ServerConfiguration.defaultPath)).",
            valueName: "file"
        )
    )
    var config: String?
    @Option(help: ArgumentHelp("The state directory (default: \(StateDirectory.defaultPath)).", valueName: "dir"))
    var state: String?
    @Option(help: ArgumentHelp("Boot any machine on this interface.", valueName: "if"))
    var interface: String?
    @Option(help: "What to do about DHCP on that interface: full, proxy (the default) or off.")
    var dhcp: BootModel.Network.DHCPMode?
    @Option(help: ArgumentHelp("The TCP port of boot HTTP (default: 8067).", valueName: "port"))
    var httpPort: UInt16?
    @Option(help: ArgumentHelp("The TCP port of NBD (default: 10809).", valueName: "port"))
    var nbdPort: UInt16?
    @Option(help: ArgumentHelp("The TCP port of NFS (default: 2049).", valueName: "port"))
    var nfsPort: UInt16?
    @Flag(help: "Tell clients of NFS its port on 111, as klibc's nfsmount wants it.")
    var portmap = false
    @Option(help: "What to log: debug, info (the default), warning or error.")
    var log: ServerConfiguration.LogLevel?

    func run() throws {
        // Before there is a second thread: without it images cannot be mounted, which is said when they are.
        try? PrivateMounts.enter()
        StopSignal.block()
        let file = try configuration()
        var logger = Logger(label: "diskless")
        logger.logLevel = Logger.Level(rawValue: (log ?? file.logLevel ?? .info).rawValue) ?? .info
        var setup = ServerSetup(
            state: StateDirectory(state ?? file.state ?? StateDirectory.defaultPath),
            interface: interface ?? file.interface,
            dhcp: dhcp ?? file.dhcp ?? .proxy,
            httpPort: httpPort ?? file.httpPort ?? 8067,
            nbdPort: nbdPort ?? file.nbdPort ?? 10809,
            nfsPort: nfsPort ?? file.nfsPort ?? 2049,
            version: Version.text,
            advertisesRouter: file.routerAdvertisements != .off
        )
        if let dns = file.dns { setup.dns = DNSSetup(listen: dns.listen, port: dns.port, upstreams: dns.upstreams) }
        setup.hasPortmap = portmap || file.portmap == .on
        if let tls = file.tls {
            let identity = try TLSIdentity(
                certificate: tls.certificate,
                key: tls.key,
                clientAuthority: tls.authority
            )
            setup.nbdEncryption = NBDServer.Encryption(as: identity, isRequired: tls.nbd == .required)
        }
        let server = try Server(setup, logger: logger)
        tellServiceManager("READY=1", logger)
        StopSignal.wait()
        logger.info("stopping")
        tellServiceManager("STOPPING=1", logger)
        server.stop()
    }

    private func tellServiceManager(_ state: String, _ logger: Logger) {
        do throws(SystemCallError) { try ServiceManager.tell(state) } catch { logger.warning("\(error)") }
    }

    private func configuration() throws -> ServerConfiguration {
        let path = config ?? ServerConfiguration.defaultPath
        guard config != nil || FileManager.default.fileExists(atPath: path) else { return ServerConfiguration() }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ConfigurationError("\(path) cannot be read as UTF-8 text")
        }
        do {
            return try ServerConfiguration(reading: text)
        } catch {
            throw ConfigurationError(error.problems.map { "\(path):\($0)" }.joined(separator: "\n"))
        }
    }
}

/// What is wrong with the configuration file, one line a problem.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
