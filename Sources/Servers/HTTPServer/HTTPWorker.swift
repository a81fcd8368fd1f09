import CLinux
import HTTP1
import Logging
import NetworkIO
import Synchronization

/// One thread that serves any number of connections.
final class HTTPWorker: Sendable {
    private enum Message: Sendable {
        case connection(ConnectionEntry)
        case answered(mark: UInt64, HTTPRequest, HTTPResponse, began: UInt64)
        case streamed(mark: UInt64, keepsConnection: Bool)
        case stop
    }

    private static let wakeMark = UInt64.max
    private let epoll: FileDescriptor
    private let wake: FileDescriptor
    private let inbox = Mutex<[Message]>([])
    private let handler: any HTTPHandler
    private let options: HTTPServerOptions
    private let threads: HandlerThreads

    /// Starts the thread; `tell` gets the reports.
    init(
        _ number: Int,
        handler: any HTTPHandler,
        options: HTTPServerOptions,
        table: ConnectionTable,
        threads: HandlerThreads,
        logger: Logger,
        tell: @escaping @Sendable (HTTPReport) -> Void
    ) throws {
        self.handler = handler
        self.options = options
        self.threads = threads
        epoll = try FileDescriptor("epoll", epoll_create1(CInt(EPOLL_CLOEXEC)))
        wake = try FileDescriptor("eventfd", eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)))
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.u64 = Self.wakeMark
        try check("watch an eventfd", unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, wake.number, &event))
        try WorkerThread.start("http-\(number)") { [self] in
            let around = HTTPLoop.Surroundings(
                handler: handler,
                options: options,
                table: table,
                logger: logger,
                ask: { [self] in ask($0, $1, $2, began: $3, tell) },
                tell: tell
            )
            run(around)
        }
    }

    /// Gives it a connection.
    func add(_ entry: ConnectionEntry) { post(.connection(entry)) }

    /// Ends it and its connections.
    func stop() { post(.stop) }

    private func post(_ message: Message) {
        let wasEmpty = inbox.withLock { inbox in
            inbox.append(message)
            return inbox.count == 1
        }
        if wasEmpty { eventfd_write(wake.number, 1) }
    }

    private func run(_ around: HTTPLoop.Surroundings) {
        var loop = HTTPLoop(around, epoll: epoll)
        let capacity = 128
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { unsafe events.deallocate() }
        var nextScan: UInt64 = 0
        while true {
            let keepsFiles = !(handler.openFiles?.isEmpty ?? true)
            let patience: CInt = loop.hasWork ? 0 : loop.isEmpty && !keepsFiles ? -1 : 1000
            let count = unsafe epoll_wait(epoll.number, events, CInt(capacity), patience)
            loop.begin()
            loop.goOn()
            for index in 0..<max(0, Int(count)) {
                let mark = unsafe events[index].data.u64
                if mark != Self.wakeMark {
                    loop.ready(mark, events: unsafe events[index].events)
                } else if !takeMessages(&loop) {
                    return
                }
            }
            guard loop.now >= nextScan else { continue }
            nextScan = loop.now + 1_000_000_000
            loop.checkDeadlines()
            if let files = handler.openFiles, !files.closeUnused() || loop.isEmpty { loop.memo.forgetReplies() }
        }
    }

    /// False when the worker shall end.
    private func takeMessages(_ loop: inout HTTPLoop) -> Bool {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(wake.number, &count)
        let messages = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for message in messages {
            switch message {
            case .connection(let entry): loop.add(entry)
            case .answered(let mark, let request, let response, let began):
                loop.answered(mark, request, response, began: began)
            case .streamed(let mark, let keeps): loop.streamed(mark, keepsConnection: keeps)
            case .stop:
                loop.endAll()
                return false
            }
        }
        return true
    }

    // MARK: Answers that may wait

    private func ask(
        _ mark: UInt64,
        _ request: HTTPRequest,
        _ socket: StreamSocket,
        began: UInt64,
        _ tell: @escaping @Sendable (HTTPReport) -> Void
    ) -> Bool {
        threads.submit { [self] in
            let response = handler.respond(to: request)
            guard case .stream(let produce) = response.body else {
                return post(.answered(mark: mark, request, response, began: began))
            }
            threads.withoutCounting {
                let report = stream(produce, response, request, socket, began)
                if handler.wantsReport(of: request.head) { tell(report) }
                let keeps = report.isComplete && request.head.minorVersion > 0 && request.head.keepsConnection
                post(.streamed(mark: mark, keepsConnection: keeps))
            }
        }
    }

    private func stream(
        _ produce: (HTTPStream) throws -> Void,
        _ response: HTTPResponse,
        _ request: HTTPRequest,
        _ socket: StreamSocket,
        _ began: UInt64
    ) -> HTTPReport {
        let isChunked = request.head.minorVersion > 0
        var fields = response.fields
        if isChunked { fields.append(HTTPField("Transfer-Encoding", "chunked")) }
        if !isChunked || !request.head.keepsConnection { fields.append(HTTPField("Connection", "close")) }
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        fields.append(HTTPField("Date", HTTPDate(seconds: time.tv_sec).description))
        let stream = HTTPStream(socket, isChunked: isChunked, stallSeconds: options.stallSeconds)
        var isComplete = false
        do {
            try stream.put(HTTPResponseHead(response.status, fields).encoded)
            if request.method != .head {
                try produce(stream)
                stream.end()
            }
            isComplete = !stream.failed
        } catch {
            // Without its end the client knows that the content is cut.
        }
        return HTTPReport(
            request: request,
            status: response.status,
            bytes: stream.bytesSent,
            expected: nil,
            seconds: Double(monotonicNow() - min(began, monotonicNow())) / 1e9,
            isComplete: isComplete
        )
    }
}
