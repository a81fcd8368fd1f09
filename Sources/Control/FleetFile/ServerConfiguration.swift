public import BootModel

/// The server's own configuration, `/etc/diskless/diskless.yaml`: what it listens on and where it keeps its state.
///
/// What it serves (networks, profiles, nodes) is in the registry and comes by `diskless apply`. The command line wins
/// over this file.
public struct ServerConfiguration: Hashable, Sendable {
    /// Where it is looked for unless `--config` says otherwise.
    public static let defaultPath = "/etc/diskless/diskless.yaml"

    /// The state directory.
    public var state: String?
    /// The interface on which any machine is booted, without a network in the registry.
    public var interface: String?
    /// What to do about DHCP on that interface; proxy unless said.
    public var dhcp: Network.DHCPMode?
    /// The TCP port of the boot HTTP server.
    public var httpPort: UInt16?
    /// The TCP port of the NBD server.
    public var nbdPort: UInt16?
    /// The TCP port of the NFS server.
    public var nfsPort: UInt16?
    /// The least important messages to log: `debug`, `info`, `warning` or `error`.
    public var logLevel: LogLevel?
    /// Whether booting machines that ask for an IPv6 router get an empty advertisement.
    public var routerAdvertisements: Switch?

    /// Whether clients of NFS may ask for its port.
    public var portmap: Switch?
    /// DNS; nil is off.
    public var dns: NameServerConfiguration?
    /// Certificates, for those who want TLS; nil offers none.
    public var tls: EncryptionConfiguration?

    /// How much is logged.
    public enum LogLevel: String, Hashable, Sendable, CaseIterable {
        /// Everything, every packet.
        case debug
        /// What happens.
        case info
        /// What may be wrong.
        case warning
        /// What is wrong.
        case error
    }

    /// On or off.
    public enum Switch: String, Hashable, Sendable, CaseIterable {
        /// Done.
        case on
        /// Not done.
        case off
    }

    /// A configuration that says nothing.
    public init() {}

    private static let keys = [
        "state", "interface", "dhcp", "ports", "log", "router-advertisements", "dns", "tls", "portmap",
    ]

    /// Reads the text of a configuration file.
    ///
    /// Throws `FleetFileError` with the line and column of everything that is wrong; unknown keys are wrong.
    public init(reading text: String) throws(FleetFileError) {
        self.init()
        guard let document = try YAMLValue(parsing: text), !document.isNull else { return }
        var reader = FleetReader()
        if let keys = reader.keys(document, of: "server configuration", known: Self.keys) {
            state = reader.text(keys["state"], "state")
            interface = reader.text(keys["interface"], "interface")
            dhcp = reader.word(keys["dhcp"], "dhcp")
            logLevel = reader.word(keys["log"], "log")
            routerAdvertisements = reader.word(keys["router-advertisements"], "router-advertisements")
            portmap = reader.word(keys["portmap"], "portmap")
            dns = reader.nameServer(keys["dns"])
            tls = reader.encryption(keys["tls"])
            if let ports = keys["ports"],
                let keys = reader.keys(ports, of: "list of ports", known: ["http", "nbd", "nfs"])
            {
                httpPort = reader.value(keys["http"], "http", "a port between 1 and 65535")
                nbdPort = reader.value(keys["nbd"], "nbd", "a port between 1 and 65535")
                nfsPort = reader.value(keys["nfs"], "nfs", "a port between 1 and 65535")
            }
        }
        guard reader.problems.isEmpty else { throw FleetFileError(reader.problems) }
    }
}
