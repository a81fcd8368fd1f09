import CLinux
public import Logging
import NBD
import NetworkIO
public import NetworkTypes
import Synchronization
public import TLSTunnel

/// Serves block storage over NBD: a thread for each connection, plain system calls.
public final class NBDServer: Sendable {
    /// What the server allows.
    public struct Limits: Sendable {
        /// Connections at the same time; further ones are closed at once.
        ///
        /// A node with a volume and swap takes three.
        public var connections = 16384
        /// Connections at the same time of one client address; further ones are closed at once.
        public var connectionsPerPeer = 1024
        /// Connections at the same time that have not opened an export; the oldest of them makes room for a new one.
        public var handshakes = 256

        /// The limits of a server for five thousand nodes.
        public init() {}
    }

    /// TLS, for those who have certificates.
    public struct Encryption: Sendable {
        /// Who the server is.
        public var identity: TLSIdentity
        /// Whether clients without TLS are turned away.
        public var isRequired: Bool
        /// TLS as `identity`.
        public init(as identity: TLSIdentity, isRequired: Bool) {
            self.identity = identity
            self.isRequired = isRequired
        }
    }

    /// Where it listens; a port of 0 is replaced by the one the kernel chose.
    public let endpoint: Endpoint
    let source: any NBDExportSource
    let encryption: Encryption?
    let logger: Logger
    let faults = ReadFaults()
    let waiting = WaitingExports()
    private let listener: StreamListener
    private let limits: Limits

    private struct State {
        var connections: [UInt64: ConnectionHandle] = [:]
        var perPeer = ConnectionCounts()
        var sessions: [String: ConnectionHandle] = [:]
        var lastNumber: UInt64 = 0
        var named: Set<IPv4Address> = []
        var isStopping = false
    }
    private let state = Mutex(State())

    /// Listens at `endpoint`; nothing is served before `start`; without `encryption` nobody gets TLS.
    ///
    /// Throws when the port is taken or needs rights, with a text that says what to do.
    public init(
        listen endpoint: Endpoint,
        source: any NBDExportSource,
        logger: Logger,
        limits: Limits = Limits(),
        encryption: Encryption? = nil
    ) throws {
        listener = try StreamListener(tcp: endpoint)
        self.source = source
        self.logger = logger
        self.limits = limits
        self.encryption = encryption
        if case .tcp(let actual) = listener.place { self.endpoint = actual } else { self.endpoint = endpoint }
    }

    /// Accepts connections on a thread of its own.
    public func start() throws {
        try WorkerThread.start("nbd-accept") { [self] in acceptAll() }
    }

    private func acceptAll() {
        while true {
            do {
                guard let socket = try listener.accept() else { return }
                admit(socket)
            } catch {
                logger.error("NBD cannot accept a connection", metadata: ["why": "\(error)"])
                // The error may last; without a pause this thread would spin on it.
                usleep(100_000)
            }
        }
    }

    private func admit(_ socket: StreamSocket) {
        guard let remote = socket.peer, let local = socket.local else { return }
        let (handle, crowded): (ConnectionHandle?, ConnectionHandle?) = state.withLock { state in
            guard !state.isStopping, state.connections.count < limits.connections,
                state.perPeer[remote.address] < limits.connectionsPerPeer
            else { return (nil, nil) }
            state.lastNumber += 1
            let peer = NBDPeer(connection: state.lastNumber, remote: remote, local: local)
            let handle = ConnectionHandle(socket, peer)
            state.connections[state.lastNumber] = handle
            state.perPeer.add(remote.address)
            guard state.connections.count > limits.handshakes else { return (handle, nil) }
            let negotiating = state.connections.values.filter { !$0.isNegotiated }
            guard negotiating.count > limits.handshakes else { return (handle, nil) }
            return (handle, negotiating.min { $0.peer.connection < $1.peer.connection })
        }
        crowded?.cut()
        guard let handle else {
            logOnce(NBDPeer(connection: 0, remote: remote, local: local), "there are too many connections")
            return
        }
        do {
            try WorkerThread.start("nbd") { [self] in
                var connection = NBDConnection(server: self, handle: handle)
                connection.run()
            }
        } catch {
            logger.warning("NBD client refused", metadata: ["peer": "\(handle.peer)", "why": "\(error)"])
            ended(handle)
        }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Forgets a connection that is over.
    func ended(_ handle: ConnectionHandle) {
        state.withLock { state in
            if state.connections.removeValue(forKey: handle.peer.connection) != nil {
                state.perPeer.remove(handle.peer.remote.address)
            }
            for (key, session) in state.sessions where session === handle { state.sessions[key] = nil }
        }
    }

    /// Makes `handle` the only session of `key`; returns when an older one does nothing any more.
    func replaceSession(_ key: String, with handle: ConnectionHandle) {
        let old = state.withLock { state in
            defer { state.sessions[key] = handle }
            return state.sessions[key]
        }
        guard let old, old !== handle else { return }
        logger.info("NBD session replaced", metadata: ["peer": "\(old.peer)", "by": "\(handle.peer)"])
        old.cutAndWait()
    }

    /// Names a misbehaving address once at a level that people see, later only for debugging.
    func logOnce(_ peer: NBDPeer, _ reason: String) {
        let isNew = state.withLock { state in
            if state.named.count >= 1024 { state.named = [] }
            return state.named.insert(peer.remote.address).inserted
        }
        logger.log(
            level: isNew ? .notice : .debug,
            "NBD client dropped",
            metadata: ["peer": "\(peer)", "why": "\(reason)"]
        )
    }

    /// How many connections there are.
    public var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Stops accepting, lets every connection finish what it has read, and returns when all are over.
    ///
    /// Connections that take longer than `seconds` are cut.
    public func stop(seconds: Int = 5) {
        let handles = state.withLock { state in
            state.isStopping = true
            return Array(state.connections.values)
        }
        listener.stop()
        for handle in handles { handle.drain() }
        // Bounded waits: each turn is 5 ms, and cut connections end at once unless the disk hangs.
        for _ in 0..<max(1, seconds * 200) where connectionCount > 0 { usleep(5_000) }
        for handle in state.withLock({ Array($0.connections.values) }) { handle.cut() }
        for _ in 0..<1000 where connectionCount > 0 { usleep(5_000) }
    }

    /// Ends every session of exports for which `belongs` says true, and waits for their end.
    public func endSessions(where belongs: (String) -> Bool) {
        let handles = state.withLock { state in state.sessions.filter { belongs($0.key) }.map(\.value) }
        for handle in handles { handle.cutAndWait() }
    }
}
