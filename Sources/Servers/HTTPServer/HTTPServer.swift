import CLinux
import HTTP1
public import Logging
public import NetworkIO
import NetworkTypes
import Synchronization

/// Serves HTTP/1.1 on a TCP port or a Unix socket: a few threads for all connections, others for answers that may wait.
public final class HTTPServer: Sendable {
    /// Where it listens; a port of 0 was replaced by the kernel's choice.
    public var place: StreamListener.Place { listener.place }

    private let listener: StreamListener
    private let options: HTTPServerOptions
    private let logger: Logger
    private let table = ConnectionTable()
    private let workers: [HTTPWorker]
    /// When it was last said that connections are turned away (monotonic nanoseconds).
    private let complained = Atomic<UInt64>(0)

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
        self.options = options
        self.logger = logger
        // Every connection takes a descriptor: the usual soft limit of 1024 is below our own.
        var limit = rlimit()
        _ = unsafe clinux_descriptor_limit(&limit)
        let threads = try HandlerThreads("http-answer", limit: options.handlerThreads)
        let reports = try HandlerThreads("http-report", limit: 1)
        let tell = { @Sendable (report: HTTPReport) in
            // Without a thread the report is given here: late is better than never.
            if !reports.submit({ handler.finished(report) }) { handler.finished(report) }
        }
        let count = options.workers > 0 ? options.workers : max(2, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        workers = try (0..<count).map { [table] number in
            try HTTPWorker(
                number,
                handler: handler,
                options: options,
                table: table,
                threads: threads,
                logger: logger,
                tell: tell
            )
        }
        try WorkerThread.start("http-accept") { [self] in run() }
    }

    /// Ends the server: no new connections, and the open ones are cut.
    ///
    /// Streams see `isOpen` turn false.
    public func stop() {
        listener.stop()
        table.close()
        for worker in workers { worker.stop() }
    }

    /// How many connections are open.
    public var connectionCount: Int { table.count }

    private func run() {
        var turn = 0
        while true {
            do {
                guard let socket = try listener.accept() else { return }
                turn = (turn + 1) % workers.count
                admit(socket, workers[turn])
            } catch {
                logger.error("\(error)")
                // The error may last; without a pause this thread would spin on it.
                usleep(100_000)
            }
        }
    }

    private func admit(_ socket: StreamSocket, _ worker: HTTPWorker) {
        let entry = ConnectionEntry(socket)
        switch table.add(entry, options) {
        case .admitted: break
        case .closed: return
        case .tooMany: return complain("\(options.connections) connections are busy: one more was turned away")
        case .tooManyOfPeer:
            let client = socket.peer.map { "\($0.address)" } ?? "a program here"
            return complain("\(client) keeps \(options.connectionsPerPeer) connections busy: one more was turned away")
        }
        // The kernel must not lose patience with a slow reader before we do.
        if socket.peer != nil { socket.setPromptDelivery(patience: options.stallSeconds) }
        _ = clinux_fcntl(socket.descriptor.number, F_SETFL, Int(O_RDWR | O_NONBLOCK))
        worker.add(entry)
    }

    /// Says at most every ten seconds that connections are turned away: a flood must not fill the log as well.
    private func complain(_ reason: String) {
        let now = monotonicNow()
        let last = complained.load(ordering: .relaxed)
        guard last == 0 || now > last + 10_000_000_000 else { return }
        complained.store(now, ordering: .relaxed)
        logger.warning("HTTP \(place): \(reason)")
    }
}
