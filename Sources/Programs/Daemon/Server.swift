import AdminAPI
import AdminServer
import BlockStorage
public import BootModel
import CLinux
import DHCPServer
import Foundation
import HTTPServer
import ImageStore
public import Logging
public import NBDServer
import NFSServer
import NetworkIO
import NetworkTypes
import OverlayFiles
import Registry
import Synchronization
import TFTPServer

/// What a server is started with.
public struct ServerSetup: Sendable {
    /// Where it keeps everything.
    public var state: StateDirectory
    /// The interface on which any machine is booted, without a network in the registry.
    public var interface: String?
    /// What to do about DHCP on that interface.
    public var dhcp: Network.DHCPMode
    /// The TCP port of boot HTTP.
    public var httpPort: UInt16
    /// The TCP port of NBD.
    public var nbdPort: UInt16
    /// The TCP port of NFS.
    public var nfsPort: UInt16
    /// What it calls itself.
    public var version: String
    /// Whether booting machines that ask for an IPv6 router are told that there is none.
    public var advertisesRouter: Bool
    /// DNS; nil is off.
    public var dns: DNSSetup?
    /// Whether clients of NFS may ask for its port (portmap, UDP and TCP 111).
    public var hasPortmap = false
    /// TLS on NBD; nil offers none.
    public var nbdEncryption: NBDServer.Encryption?

    /// A setup with the default ports.
    public init(
        state: StateDirectory,
        interface: String? = nil,
        dhcp: Network.DHCPMode = .proxy,
        httpPort: UInt16 = 8067,
        nbdPort: UInt16 = 10809,
        nfsPort: UInt16 = 2049,
        version: String,
        advertisesRouter: Bool = true
    ) {
        self.state = state
        self.interface = interface
        self.dhcp = dhcp
        self.httpPort = httpPort
        self.nbdPort = nbdPort
        self.nfsPort = nfsPort
        self.version = version
        self.advertisesRouter = advertisesRouter
    }
}

/// The server is asked for something that it cannot do; one line says what and how to mend it.
public struct SetupError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line.
    public var description: String
    init(_ description: String) { self.description = description }
}

/// The composition root: every server of the daemon, put together over one registry and one image store.
public final class Server: Sendable {
    private let setup: ServerSetup
    private let logger: Logger
    private let lock: FileDescriptor
    private let store: Registry
    private let registry: any NodeRegistry
    private let boots: BootService
    private let dhcp: DHCPService
    private let started: Timestamp
    private let stops: [@Sendable () -> Void]
    private let following: any Observation
    private let growing: any Observation
    private let lookingForInterfaces: Repetition
    private let lookingForRemoved: Repetition

    /// Takes the state directory and starts everything; returns when it serves.
    ///
    /// Throws errors of one line: `SetupError`, `StateDirectoryTaken`, `PortTaken`, `SystemCallError`, the registry's.
    public init(_ setup: ServerSetup, logger: Logger) throws {
        let clock = SystemClock()
        self.setup = setup
        self.logger = logger
        started = clock.now()
        lock = try setup.state.take()
        let store = try Registry(path: setup.state.registry)
        self.store = store
        let late = try Self.interfaceNetwork(store, setup)
        let registry: any NodeRegistry = late ?? store
        self.registry = registry
        if let late, !late.hasAddress {
            logger.warning(
                "interface \(late.interface) has no IPv4 address yet: machines there boot as soon as it has one"
            )
        }
        let catalog = ImageStore(state: setup.state.path)
        let loaders = LoaderFiles(own: setup.state.loaders, cache: setup.state.madeLoaders)
        let sightings = try Sightings(store, clock: clock, logger: logger)
        let boots = try BootService(
            registry: registry,
            catalog: catalog,
            log: store,
            loaders: loaders,
            grantsDirectory: setup.state.grants,
            sightings: sightings,
            clock: clock,
            logger: logger
        )
        self.boots = boots
        let ports = (http: setup.httpPort, nbd: setup.nbdPort)
        let dhcp = DHCPService(
            registry: registry,
            ports: ports,
            advertisesRouter: setup.advertisesRouter,
            logger: logger
        )
        self.dhcp = dhcp
        let peers = PeerDirectory(leaseHolder: { address in
            dhcp.lease(of: address).flatMap { $0.state == .bound ? $0.mac : nil }
        })

        let configurations = BootConfigurations(
            boots: boots,
            peers: peers,
            lease: { dhcp.lease(of: $0) },
            ports: ports,
            nfsPort: setup.nfsPort,
            clock: clock
        )
        let agents = AgentService(boots: boots, tokens: store, clock: clock, logger: logger)
        let overlays = OverlayService(
            sets: FileSetLibrary(
                directories: [setup.state.files, FileSetLibrary.systemDirectory],
                contributors: [AgentContributor(agents: agents, registry: registry)]
            ),
            boots: boots,
            identities: Identities(store),
            peers: peers,
            ports: ports,
            last: LastOverlays(directory: setup.state.overlays),
            leaseOf: { mac in try store.leases().first { $0.mac == mac && $0.state == .bound }?.address },
            clock: clock,
            logger: logger
        )
        boots.overlayProblem.withLock { problem in
            problem = Hook { overlays.problem(of: $0.node, mac: $0.mac, address: $0.address, boot: $0.boot) }
        }
        let overlay = { @Sendable mac, boot, address in overlays.archive(of: mac, boot: boot, for: address) }

        // Everything a machine is sent to listens before DHCP sends the first one there.
        let http = try HTTPServer(
            on: StreamListener(tcp: Endpoint(.any, setup.httpPort)),
            handler: BootRoutes(
                boots: boots,
                catalog: catalog,
                loaders: loaders,
                peers: peers,
                configurations: configurations,
                overlay: overlay,
                agents: AgentRoutes(agents: agents, peers: peers),
                clock: clock,
                logger: logger
            ),
            logger: logger
        )
        let tftp = try TFTPServer(
            on: Endpoint(.any, 69),
            source: BootFiles(
                loaders: loaders,
                configurations: configurations,
                catalog: catalog,
                firmware: FirmwareArchives(),
                overlay: overlay,
                clock: clock,
                logger: logger
            ),
            logger: logger
        )
        let claims = NodeClaims()
        let unflushed = UnflushedWrites(directory: setup.state.unflushed, kernel: try RunningKernel.identity())
        let exports = try RootExports(
            catalog: catalog,
            layersDirectory: setup.state.layers,
            volumes: VolumeStore(state: setup.state, catalog: catalog, logger: logger),
            claims: claims,
            unflushed: unflushed,
            boots: boots,
            peers: peers,
            clock: clock,
            logger: logger,
            held: { dhcp.held($0, isConnected: $1) }
        )
        let nbd = try NBDServer(
            listen: Endpoint(.any, setup.nbdPort),
            source: exports,
            logger: logger,
            encryption: setup.nbdEncryption
        )
        exports.ending { [weak nbd] key in nbd?.endSessions { $0 == key } }
        try nbd.start()
        let leases = FollowedLeases(store)
        let dns = try setup.dns.map {
            try DNSService(
                $0,
                registry: registry,
                leases: leases,
                hostKeys: { HostKeyRecords.of($0, in: store) },
                clock: clock,
                logger: logger
            )
        }
        let nfs = Self.nfs(setup, catalog, boots, claims, peers, clock, logger) { dhcp.held($0, isConnected: $1) }
        // The DHCP server logs what it tells, with the lease, and a machine that is meant to get nothing more quietly.
        let dhcpPorts = DHCPServer.Ports(planner: boots, leases: leases, recorder: boots.keeper, clock: clock)
        try dhcp.follow(try registry.fleet(), with: dhcpPorts)
        let lastProblem = Mutex("")
        let follow = { @Sendable (fleet: () throws -> Fleet) in
            var problem = ""
            do { try dhcp.follow(fleet(), with: dhcpPorts) } catch { problem = "\(error)" }
            let isNews = lastProblem.withLock { last in
                defer { last = problem }
                return last != problem
            }
            if isNews, !problem.isEmpty { logger.error("cannot serve the networks", metadata: ["error": "\(problem)"]) }
        }
        following = registry.observe { fleet in follow { fleet } }
        // On a thread of its own: the end of a session may wait for the disk.
        let volumeGrowth = DispatchQueue(label: "volume growth")
        growing = registry.observe { [exports] _ in volumeGrowth.async { exports.growVolumes() } }
        // Interfaces come late, get their addresses late, and are made anew while we run.
        lookingForInterfaces = Repetition("interfaces", everySeconds: 5) {
            late?.refresh()
            follow(registry.fleet)
        }
        let facts = Facts(
            setup: setup,
            started: started,
            registry: registry,
            dhcp: dhcp,
            exports: exports,
            dns: dns?.endpoints ?? [],
            trees: nfs?.exports
        )
        let running = { @Sendable [exports] in
            let boots = nfs?.exports.connectedBoots ?? []
            return RemovedNodes.Running(
                nodes: exports.connectedNodes.union(boots.map(\.node)).union(agents.runningNodes),
                machines: exports.connectedMachines.union(boots.map(\.mac))
            )
        }
        let removed = RemovedNodes(
            grants: boots.grants,
            registry: registry,
            running: running,
            clock: clock,
            logger: logger
        )
        lookingForRemoved = Repetition("removed nodes", everySeconds: 15) { removed.look() }
        let keeper = NodeStorageKeeper(
            state: setup.state,
            registry: registry,
            grants: boots.grants,
            trees: nfs?.trees,
            claims: claims,
            connected: { running().nodes },
            clock: clock,
            logger: logger
        )
        let admin = try Self.admin(setup, registry, store, dhcp, boots, agents, clock, facts, keeper, overlays, logger)
        stops = [
            { dhcp.stop() }, { agents.stop() }, { dns?.stop() }, { admin.stop() }, { tftp.stop() }, { http.stop() },
            { nbd.stop() }, { unflushed.settle() }, { nfs?.portmap?.stop() }, { nfs?.server.stop() },
        ]
        agents.start()
        greet(loaders, catalog)
    }

    /// A card may get its address after us; one that is not there at all is a slip of the pen.
    private static func interfaceNetwork(_ store: Registry, _ setup: ServerSetup) throws -> InterfaceNetwork? {
        guard let name = setup.interface else { return nil }
        guard NetworkInterface.exists(name) else {
            let known = Set(try NetworkInterface.all().map(\.name)).subtracting(["lo"]).sorted()
            throw SetupError(
                "interface \(name) does not exist"
                    + (known.isEmpty ? "" : "; with an address there is \(known.joined(separator: ", "))")
            )
        }
        return try InterfaceNetwork(store, interface: name, dhcp: setup.dhcp)
    }

    private static func admin(
        _ setup: ServerSetup,
        _ registry: any NodeRegistry,
        _ store: Registry,
        _ dhcp: DHCPService,
        _ boots: BootService,
        _ agents: AgentService,
        _ clock: SystemClock,
        _ facts: Facts,
        _ keeper: NodeStorageKeeper,
        _ overlays: OverlayService,
        _ logger: Logger
    ) throws -> HTTPServer {
        let path = setup.state.adminSocket
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var options = HTTPServerOptions()
        options.bodyLimit = AdminHandler.bodyLimit
        var services = AdminServices(
            registry: registry,
            leases: LiveLeases(store: store, dhcp: dhcp),
            log: store,
            planning: Onlooker(boots: boots),
            clock: clock,
            backup: .files(of: store, in: setup.state),
            facts: { facts.now }
        )
        services.storage = keeper
        services.unknownMachines = { boots.sightings?.machines(unknownTo: $0) ?? [] }
        services.files = overlays
        services.awaitFollowers = { store.awaitObservers(seconds: 5) }
        services.commands = agents
        return try HTTPServer(
            on: StreamListener(unix: path),
            handler: AdminHandler(services),
            options: options,
            logger: logger
        )
    }

    /// Says what is served, and what is missing for a machine to boot.
    private func greet(_ loaders: LoaderFiles, _ catalog: ImageStore) {
        if dhcp.interfaces.isEmpty {
            logger.warning("no network to serve: start with --interface IF, or name networks with 'diskless apply'")
        }
        if loaders.available.isEmpty {
            logger.warning(
                "no loader is installed: machines whose card is not iPXE cannot boot; install the package ipxe"
            )
        }
        for line in loaders.complaints() { logger.warning("\(line)") }
        if (try? catalog.newest()) == nil {
            logger.warning("there is no image yet: make one with 'diskless image build NAME'")
        }
        logger.info("ready", metadata: ["state": "\(setup.state.path)"])
    }

    /// Ends everything in good order: no new machines first, running ones last.
    public func stop() {
        lookingForInterfaces.cancel()
        lookingForRemoved.cancel()
        following.cancel()
        growing.cancel()
        for stop in stops { stop() }
        boots.drain()
        boots.sightings?.drain()
        store.close()
    }
}
