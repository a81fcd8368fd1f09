public import BootModel
import Dispatch
public import Logging
import NetworkIO
public import NetworkTypes
import Synchronization

/// Answers DHCP on some interfaces: ports 67 and 4011, and router solicitations of booting machines.
///
/// One thread waits on all sockets, takes everything that has arrived and lets the engine answer it. Answers that need a
/// lease to be kept go through a second thread, which keeps all that wait at once and only then sends them: a storm of
/// requests costs few writes to the disk, none of which holds up another answer, and every ACK that leaves is kept.
public final class DHCPServer: Sendable {
    /// What a server needs to know.
    public struct Configuration: Sendable {
        /// The interfaces to answer on.
        public var interfaces: [String]
        /// The port of the boot HTTP server, for URLs.
        public var httpPort: UInt16
        /// The port of the NBD server, for URLs.
        public var nbdPort: UInt16
        /// Whether router solicitations of booting machines are answered.
        public var advertisesRouter: Bool
        /// The desired state as it is now; asked once a round.
        public var fleet: @Sendable () throws -> Fleet

        /// A configuration from its parts.
        public init(
            interfaces: [String],
            httpPort: UInt16 = 8067,
            nbdPort: UInt16 = 10809,
            advertisesRouter: Bool = true,
            fleet: @escaping @Sendable () throws -> Fleet
        ) {
            self.interfaces = interfaces
            self.httpPort = httpPort
            self.nbdPort = nbdPort
            self.advertisesRouter = advertisesRouter
            self.fleet = fleet
        }
    }

    /// What the server works with: one implementation of each port.
    public struct Ports: Sendable {
        /// Decides what boots.
        public var planner: any BootPlanning
        /// Keeps leases.
        public var leases: any LeaseStore
        /// Takes in what happens.
        public var recorder: any BootRecorder
        /// Tells the time.
        public var clock: any BootModel.Clock

        /// Ports from their parts.
        public init(
            planner: any BootPlanning,
            leases: any LeaseStore,
            recorder: any BootRecorder,
            clock: any BootModel.Clock
        ) {
            self.planner = planner
            self.leases = leases
            self.recorder = recorder
            self.clock = clock
        }
    }

    let configuration: Configuration
    let ports: Ports
    let log: Logger
    let links: [DHCPLink]
    let engine: Mutex<DHCPEngine>
    /// When a real IPv6 router was last heard on each link.
    let routerHeard: Mutex<[Timestamp?]>
    private let committer = Mutex<LeaseCommitter?>(nil)
    private let readiness: ReadinessWait
    private let isRunning = Mutex(false)
    private let ended = DispatchSemaphore(value: 0)

    /// Opens the sockets; nothing is answered before `start`.
    ///
    /// `old` is the server whose place this one will take: only with it the ports are shared. Throws `PortTaken` or
    /// `SystemCallError` when a socket cannot be had, and what the fleet's registry throws.
    public init(_ configuration: Configuration, ports: Ports, replacing old: DHCPServer? = nil, log: Logger) throws {
        self.configuration = configuration
        self.ports = ports
        self.log = log
        let shared = old?.configuration.interfaces ?? []
        links = try configuration.interfaces.map {
            try DHCPLink(
                interface: $0,
                advertisesRouter: configuration.advertisesRouter,
                sharesPorts: shared.contains($0),
                log: log
            )
        }
        engine = Mutex(
            DHCPEngine(
                fleet: try configuration.fleet(),
                planner: ports.planner,
                httpPort: configuration.httpPort,
                nbdPort: configuration.nbdPort,
                isVerbose: log.logLevel <= .debug
            )
        )
        routerHeard = Mutex(links.map { _ in nil })
        readiness = try ReadinessWait(links.flatMap(\.descriptors))
    }

    /// Reads the kept leases and starts the thread that answers.
    ///
    /// A server that takes the place of another starts once the other's `stop` has returned: until then the other may
    /// still give out addresses. Throws `SystemCallError` when there is no thread to have, and what the store throws.
    public func start() throws {
        let kept = try ports.leases.leases()
        engine.withLock { $0.leases = LeaseTable(restoring: kept) }
        for link in links { log.info("DHCP answers on \(link.interface)") }
        let committer = LeaseCommitter(
            store: ports.leases,
            log: log,
            confirm: { [engine = EngineAccess(server: self)] changes in engine.confirm(changes) },
            perform: { [engine = EngineAccess(server: self)] work in engine.perform(work) }
        )
        try committer.start()
        self.committer.withLock { $0 = committer }
        try WorkerThread.start("dhcp", stackBytes: 1 << 20) { [self] in
            run(committer)
            ended.signal()
        }
        isRunning.withLock { $0 = true }
    }

    /// Ends the server, and returns when it gives out no more addresses.
    ///
    /// Requests that wait are answered by another server, or by this one when it runs again.
    public func stop() {
        readiness.stop()
        let wasRunning = isRunning.withLock { running in
            defer { running = false }
            return running
        }
        if wasRunning { ended.wait() }
        committer.withLock { committer in
            committer?.stop()
            committer = nil
        }
    }

    /// Keeps the address of a connected machine from others even when its lease ends.
    ///
    /// Each call is undone by one of `letGo`.
    public func hold(_ mac: MACAddress) { engine.withLock { $0.leases.hold(mac) } }

    /// Undoes one `hold`.
    public func letGo(_ mac: MACAddress) { engine.withLock { $0.leases.letGo(mac) } }

    /// The lease of an address, ended ones included; nil when nobody ever had it.
    public func lease(of address: IPv4Address) -> Lease? { engine.withLock { $0.leases.lease(of: address) } }

    /// Every lease as it is now, ended ones included.
    public var leases: [Lease] { engine.withLock { $0.leases.all } }

    private func run(_ committer: LeaseCommitter) {
        var round = DHCPRound(server: self, committer: committer)
        var readable: [Bool] = []
        do {
            while try readiness.next(
                &readable,
                milliseconds: round.milliseconds(now: ports.clock.now()),
                awakeMicroseconds: round.awakeMicroseconds
            ) {
                round.serve(readable)
            }
        } catch {
            log.error("DHCP ends: \(error)")
        }
    }
}

/// What the committer's thread needs of a server, without keeping a stopped one alive.
private struct EngineAccess: Sendable {
    weak let server: DHCPServer?

    func confirm(_ changes: [LeaseChange]) { server?.engine.withLock { $0.leases.confirm(changes) } }

    func perform(_ work: LeaseCommitter.Work) {
        guard let server else { return }
        for action in work.outcome.actions { server.perform(action, link: work.link) }
    }
}
