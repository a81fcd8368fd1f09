import CLinux
import HTTP1
public import Logging
public import NetworkIO
import Synchronization

/// Serves HTTP/1.1 on a TCP port or a Unix socket, one thread for each connection.
public final class HTTPServer: Sendable {
    /// Where it listens; a port of 0 was replaced by the kernel's choice.
    public var place: StreamListener.Place { listener.place }

    private let listener: StreamListener
    private let handler: any HTTPHandler
    private let options: HTTPServerOptions
    private let logger: Logger
    private let connections = ConnectionTable()

    /// Starts to serve what `listener` accepts.
    ///
    /// Throws `SystemCallError` when the kernel has no thread to give.
    public init(
        on listener: StreamListener,
        handler: any HTTPHandler,
        options: HTTPServerOptions = HTTPServerOptions(),
        logger: Logger
    ) throws {
        self.listener = listener
        self.handler = handler
        self.options = options
        self.logger = logger
        try WorkerThread.start("http-accept") { [self] in run() }
    }

    /// Ends the server: no new connections, and the open ones are cut.
    ///
    /// Streams see `isOpen` turn false.
    public func stop() {
        listener.stop()
        connections.close()
    }

    /// How many connections are open.
    public var connectionCount: Int { connections.count }

    private func run() {
        while true {
            do {
                guard let socket = try listener.accept() else { return }
                admit(socket)
            } catch {
                logger.error("\(error)")
                // The error may last; without a pause this thread would spin on it.
                usleep(100_000)
            }
        }
    }

    private func admit(_ socket: StreamSocket) {
        let entry = ConnectionEntry(socket)
        guard connections.add(entry, limit: options.connections) else {
            logger.warning("HTTP \(place): \(options.connections) connections are busy: one more was turned away")
            return
        }
        do {
            try WorkerThread.start("http") { [self] in
                defer { connections.remove(entry) }
                socket.setTimeouts(receive: 5, send: Double(options.stallSeconds))
                // The kernel must not lose patience with a slow reader before we do.
                if socket.peer != nil { socket.setPromptDelivery(patience: options.stallSeconds) }
                var connection = HTTPConnection(entry, handler: handler, options: options, logger: logger)
                connection.run()
            }
        } catch {
            connections.remove(entry)
            logger.error("HTTP \(place): \(error)")
        }
    }
}

/// One open connection, as the acceptor sees it.
final class ConnectionEntry: Sendable {
    let socket: StreamSocket
    /// Since when it waits for a request (monotonic nanoseconds); 0 while it works on one.
    let idleSince: Atomic<UInt64>

    init(_ socket: StreamSocket) {
        self.socket = socket
        idleSince = Atomic(monotonicNow())
    }
}

/// The open connections.
private final class ConnectionTable: Sendable {
    private struct State {
        var open: [ObjectIdentifier: ConnectionEntry] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.open.count } }

    /// Adds a connection; at the limit the one that has been idle for longest makes room.
    ///
    /// False when all are busy.
    func add(_ entry: ConnectionEntry, limit: Int) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            if state.open.count >= limit {
                let idle = state.open.values.filter { $0.idleSince.load(ordering: .relaxed) > 0 }
                guard
                    let oldest = idle.min(by: {
                        $0.idleSince.load(ordering: .relaxed) < $1.idleSince.load(ordering: .relaxed)
                    })
                else { return false }
                oldest.socket.disconnect()
                state.open[ObjectIdentifier(oldest)] = nil
            }
            state.open[ObjectIdentifier(entry)] = entry
            return true
        }
    }

    func remove(_ entry: ConnectionEntry) {
        _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(entry)) }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            for entry in state.open.values { entry.socket.disconnect() }
        }
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
