import CLinux
package import FileTree
package import Logging
package import NFS4
import NetworkIO
package import NetworkTypes
import Synchronization

/// Serves trees over NFS versions 3 and 4 and the MOUNT protocol on one TCP port: a thread for each connection, plain calls.
package final class NFSServer: Sendable {
    /// What the server allows.
    package struct Limits: Sendable {
        /// Connections at the same time; for a further one the address that has the most loses one, if it has more than the other would.
        package var connections = 4096
        /// Connections at the same time of one client address; further ones are closed at once.
        ///
        /// Many nodes behind one router, each with several connections (`nconnect`), are one address.
        package var connectionsPerPeer = 2048
        /// Connections at the same time that have made no call; the oldest of the address that has most of them makes room for a new one.
        package var silent = 256
        /// What clients of version 4 may keep.
        package var version4 = NFS4Limits()
        /// How long what a client of version 4 has open is kept for it unheard, in seconds.
        package var leaseSeconds: UInt64 {
            get { version4.lease / 1000 }
            set { version4.lease = newValue * 1000 }
        }

        /// The limits of a server for a thousand nodes.
        package init() {}
    }

    /// Where it listens; a port of 0 is replaced by the one the kernel chose.
    package let endpoint: Endpoint
    /// Asked by threads that have the rights of their callers, and answered by others.
    let source: AskedWithOwnRights
    let cache: ObjectCache
    let logger: Logger
    let replies: ReplyCache
    let version4: NFS4Service
    let callbacks: Callbacks
    private let listener: StreamListener
    private let limits: Limits
    private let stopSweeping: FileDescriptor
    private let verifier: Atomic<UInt64>
    private let careful = Atomic(false)
    /// The connection that has had calls last.
    private let lastServed = Atomic<UInt64>(0)

    private struct State {
        var connections = ConnectionTable()
        var named: Set<IPv4Address> = []
        var isStopping = false
    }
    private let state = Mutex(State())

    /// Listens at `endpoint`; nothing is served before `start`.
    ///
    /// To be made on a thread with the rights of the process: `source` is asked with them. `cache` is the one that the
    /// exported trees use; `records` is the file that says which clients of version 4 may claim what they had after a restart,
    /// nil keeps nothing; `journal` is the file that keeps the replies to calls that must not be done twice, for clients that
    /// did not get them before the server was killed; `name` tells servers apart and must stay the same. Throws when the port
    /// is taken or needs rights, with a text that says what to do.
    package init(
        listen endpoint: Endpoint,
        source: any NFSExportSource,
        cache: ObjectCache,
        logger: Logger,
        limits: Limits = Limits(),
        records: String? = nil,
        journal: String? = nil,
        name: String = "diskless"
    ) throws {
        let records = records.map { ClientRecords(at: $0, logger: logger) }
        listener = try StreamListener(tcp: endpoint)
        stopSweeping = try FileDescriptor("open an eventfd", eventfd(0, CInt(EFD_CLOEXEC)))
        let threads = try OwnRightsThreads()
        self.source = AskedWithOwnRights(source, threads)
        self.cache = cache
        self.logger = logger
        self.limits = limits
        replies = ReplyCache(journal: Self.open(journal: journal, logger))
        let fresh = Self.freshVerifier()
        verifier = Atomic(fresh)
        let callbacks = Callbacks(logger: logger)
        self.callbacks = callbacks
        version4 = NFS4Service(
            records: records,
            threads: threads,
            epoch: max(1, UInt32(truncatingIfNeeded: fresh ^ fresh >> 32)),
            limits: limits.version4,
            name: Array(name.utf8),
            logger: logger,
            wake: { callbacks.wake() }
        )
        if case .tcp(let actual) = listener.place { self.endpoint = actual } else { self.endpoint = endpoint }
    }

    private static func open(journal path: String?, _ logger: Logger) -> ReplyJournal? {
        guard let path else { return nil }
        do throws(TreeError) { return try ReplyJournal(at: path) } catch {
            logger.warning(
                "NFS replies are not kept: a client whose server is killed may be told that a name it moved is gone",
                metadata: ["path": "\(path)", "why": "\(unsafe String(cString: strerror(error.number)))"]
            )
            return nil
        }
    }

    /// Accepts connections on a thread of its own.
    package func start() throws {
        try WorkerThread.start("nfs-sweep") { [self] in sweep() }
        try WorkerThread.start("nfs-callback") { [self] in callbacks.run(self) }
        try WorkerThread.start("nfs-accept") { [self] in acceptAll() }
    }

    /// What clients compare to find out that unstable writes may be lost (writeverf3): this run of the server.
    var writeVerifier: UInt64 { verifier.load(ordering: .acquiring) }

    private static func freshVerifier() -> UInt64 {
        var value: UInt64 = 0
        if unsafe getrandom(&value, 8, 0) == 8 { return value }
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(bitPattern: Int64(now.tv_sec)) << 32 ^ UInt64(bitPattern: Int64(now.tv_nsec)) ^ UInt64(getpid())
    }

    /// Notes that calls have come on a connection; whether the last ones came on the same.
    func isSameAgain(_ connection: UInt64) -> Bool {
        if lastServed.load(ordering: .relaxed) == connection { return true }
        lastServed.store(connection, ordering: .relaxed)
        return false
    }

    /// Whether each change is made durable before its reply is even written: so that a failing disk can be told.
    var isCareful: Bool { careful.load(ordering: .relaxed) }

    /// A disk failed to keep what it was given: unstable writes must be sent again, and failures told one by one.
    func storageFailed(_ why: TreeError) {
        verifier.store(Self.freshVerifier(), ordering: .releasing)
        guard !careful.exchange(true, ordering: .relaxed) else { return }
        logger.error("NFS storage fails", metadata: ["why": "\(unsafe String(cString: strerror(why.number)))"])
    }

    private func sweep() {
        var wait = pollfd(fd: stopSweeping.number, events: Int16(POLLIN), revents: 0)
        // Ends with the server: nobody writes the event before `stop`.
        while true {
            let result = unsafe poll(&wait, 1, 1000)
            if result > 0 { return }
            cache.sweep()
            version4.perform { state, now in state.tick(now: now) }
            version4.tryRecordsAgain()
            callbacks.sweep(self)
        }
    }

    private func acceptAll() {
        while true {
            do {
                guard let socket = try listener.accept() else { return }
                admit(socket)
            } catch {
                logger.error("NFS accepts no more connections", metadata: ["why": "\(error)"])
                return
            }
        }
    }

    private func admit(_ socket: StreamSocket) {
        guard let peer = socket.peer else { return }
        let admission: ConnectionTable.Admission? = state.withLock { state in
            state.isStopping ? nil : state.connections.admit(socket, peer, limits)
        }
        let handle: ConnectionHandle
        switch admission {
        case .served(let admitted, let leaving):
            handle = admitted
            if let leaving {
                leaving.cut()
                // One that says nothing is cut as a matter of course.
                if leaving.isKnown { logOnce(leaving.peer, "others need some of its many connections") }
            }
        case .refused(let why): return logOnce(peer, why)
        case nil: return
        }
        do {
            try WorkerThread.start("nfs") { [self] in
                source.connected(handle.peer)
                serve(handle)
                source.disconnected(handle.peer)
                ended(handle)
            }
        } catch {
            logger.warning("NFS client refused", metadata: ["peer": "\(peer)", "why": "\(error)"])
            ended(handle)
        }
    }

    private func serve(_ handle: ConnectionHandle) {
        handle.socket.setPromptDelivery()
        do {
            var conversation = try Conversation(self, handle)
            if let why = conversation.run() {
                logger.debug("NFS connection ends", metadata: ["peer": "\(handle.peer)", "why": "\(why)"])
            }
        } catch {
            logger.warning("NFS client refused", metadata: ["peer": "\(handle.peer)", "why": "\(error)"])
        }
    }

    /// A connection by its number; nil when it is over.
    func connection(_ number: UInt64) -> ConnectionHandle? { state.withLock { $0.connections[number] } }

    private func ended(_ handle: ConnectionHandle) {
        version4.perform { state, _ in state.connectionEnded(handle.number) }
        callbacks.connectionEnded(handle.number)
        handle.socket.disconnect()
        state.withLock { $0.connections.remove(handle) }
    }

    /// Names a misbehaving address once at a level that people see, later only for debugging.
    func logOnce(_ peer: Endpoint, _ reason: String, _ event: Logger.Message = "NFS client dropped") {
        let isNew = state.withLock { state in
            if state.named.count >= 1024 { state.named = [] }
            return state.named.insert(peer.address).inserted
        }
        logger.log(
            level: isNew ? .notice : .debug,
            event,
            metadata: ["peer": "\(peer)", "why": "\(reason)"]
        )
    }

    /// How many connections there are.
    package var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Cuts every other connection of an address: what an older boot of a machine left behind.
    package func cutOthers(than peer: Endpoint) {
        for handle in state.withLock({ $0.connections.all })
        where handle.peer.address == peer.address && handle.peer != peer {
            handle.cut()
        }
    }

    /// Lets go of what clients of version 4 have open in an export that is over, so that nothing keeps its file system.
    package func forget(export identity: UInt64) {
        version4.perform { state, _ in state.forget(export: identity) }
    }

    /// Stops accepting, lets every connection finish what it has read, and returns when all are over.
    ///
    /// Connections that take longer than `seconds` are cut.
    package func stop(seconds: Int = 5) {
        let handles = state.withLock { state in
            state.isStopping = true
            return state.connections.all
        }
        listener.stop()
        callbacks.stop()
        var one: UInt64 = 1
        _ = unsafe write(stopSweeping.number, &one, 8)
        for handle in handles { handle.drain() }
        // Bounded waits: each turn is 5 ms, and cut connections end at once unless the disk hangs.
        for _ in 0..<max(1, seconds * 200) where connectionCount > 0 { usleep(5_000) }
        for handle in state.withLock({ $0.connections.all }) { handle.cut() }
        for _ in 0..<1000 where connectionCount > 0 { usleep(5_000) }
        // Nobody speaks any more: who has nothing open has nothing to claim, and the next run need not wait for it.
        version4.perform { state, _ in state.forgetIdleClients() }
        cache.removeAll()
    }
}
