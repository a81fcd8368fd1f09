import CLinux
import DNS
import Dispatch
public import Logging
import NetworkIO
public import NetworkTypes
import Synchronization

/// Answers DNS over UDP and TCP: names that are ours from the authority, others' through the forwarder and its cache.
public final class DNSServer: Sendable {
    /// Where it listens; a port of 0 was replaced by the kernel's choice.
    public let endpoints: [Endpoint]

    private let sockets: [UDPSocket]
    private let listeners: [StreamListener]
    private let handler: QueryHandler
    private let forwarder: Forwarder?
    private let options: DNSServerOptions
    private let logger: Logger
    private let waits: [ReadinessWait]
    private let connections = Mutex<[ObjectIdentifier: StreamSocket]>([:])

    /// Starts to serve on these endpoints, UDP and TCP; port 53 needs root or CAP_NET_BIND_SERVICE.
    ///
    /// Throws `PortTaken` or `SystemCallError`.
    public init(
        on places: [Endpoint],
        authority: any DNSAuthority,
        options: DNSServerOptions = DNSServerOptions(),
        logger: Logger
    ) throws {
        self.options = options
        self.logger = logger
        let handler = QueryHandler(authority: authority, options: options)
        self.handler = handler
        var sockets: [UDPSocket] = []
        var listeners: [StreamListener] = []
        for place in places {
            let socket = try UDPSocket(bind: place, receiveBufferBytes: 1 << 20)
            sockets.append(socket)
            listeners.append(try StreamListener(tcp: Endpoint(place.address, socket.endpoint.port), backlog: 128))
        }
        self.sockets = sockets
        self.listeners = listeners
        endpoints = sockets.map(\.endpoint)
        waits = try sockets.map { try ReadinessWait([$0.descriptor]) }
        forwarder =
            options.upstreams.isEmpty
            ? nil : try Forwarder(options, logger: logger) { handler.keep($0, for: $1, size: $2) }
        for (socket, wait) in zip(sockets, waits) {
            try WorkerThread.start("dns", stackBytes: 1 << 20) { [self] in serve(socket, wait) }
        }
        for listener in listeners {
            try WorkerThread.start("dns-accept") { [self] in accept(on: listener) }
        }
    }

    /// Ends the server; connections are cut.
    public func stop() {
        for wait in waits { wait.stop() }
        for listener in listeners { listener.stop() }
        forwarder?.stop()
        connections.withLock { for socket in $0.values { socket.disconnect() } }
    }

    // MARK: UDP

    /// Longer datagrams than any query are cut, and then refused as malformed.
    private static let queryLimit = 4096

    private func serve(_ socket: UDPSocket, _ wait: ReadinessWait) {
        var buffer = [UInt8](repeating: 0, count: Self.queryLimit)
        while true {
            do {
                guard try wait.next() else { return }
                // As many as are there, but the wish to stop must be seen.
                for _ in 0..<256 {
                    guard let (count, origin) = try socket.receiveWithoutWaiting(into: &buffer) else { break }
                    answer(buffer.span.extracting(0..<count), origin, on: socket)
                }
            } catch {
                logger.error("DNS \(socket.endpoint): \(error)")
                // The error may last; without a pause this thread would spin on it.
                usleep(100_000)
            }
        }
    }

    private func answer(_ bytes: Span<UInt8>, _ origin: DatagramOrigin, on socket: UDPSocket) {
        switch handler.outcome(bytes, from: origin.peer.address) {
        case .nothing: break
        case .reply(let reply, let limit): send(reply, limit: limit, to: origin, on: socket)
        case .ask(let query, let key):
            guard let forwarder else { return }
            forwarder.ask(key) { [self] answer in
                let reply = QueryHandler.reply(to: query, with: answer)
                self.send(reply, limit: query.payloadLimit, to: origin, on: socket)
            }
        }
    }

    private func send(_ reply: DNSMessage, limit: Int, to origin: DatagramOrigin, on socket: UDPSocket) {
        let bytes = reply.encoded(limit: limit)
        // What the kernel has no room for is lost, as on any wire.
        try? socket.send(bytes.span, to: origin.peer, from: origin.local.isAny ? nil : origin.local)
    }

    // MARK: TCP

    private func accept(on listener: StreamListener) {
        while true {
            do {
                guard let stream = try listener.accept() else { return }
                admit(stream)
            } catch {
                logger.error("DNS: \(error)")
                usleep(100_000)
            }
        }
    }

    private func admit(_ stream: StreamSocket) {
        guard let peer = stream.peer else { return }
        let isAdmitted = connections.withLock { open in
            guard open.count < options.connections,
                open.values.count(where: { $0.peer?.address == peer.address }) < options.connectionsOfOne
            else { return false }
            open[ObjectIdentifier(stream)] = stream
            return true
        }
        guard isAdmitted else { return }
        do {
            try WorkerThread.start("dns-tcp", stackBytes: 512 << 10) { [self] in
                converse(stream, peer)
                _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(stream)) }
            }
        } catch {
            _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(stream)) }
            logger.error("DNS: \(error)")
        }
    }

    /// Answers one question after the other until the client leaves or is silent.
    private func converse(_ stream: StreamSocket, _ peer: Endpoint) {
        stream.setPromptDelivery(patience: options.idleSeconds)
        stream.setTimeouts(send: Double(options.idleSeconds))
        do {
            while let bytes = try TCPFraming.receive(from: stream, seconds: options.idleSeconds) {
                guard let reply = answer(bytes, from: peer.address) else { return }
                try stream.send(TCPFraming.framed(reply.encoded()))
            }
        } catch {
            logger.debug("DNS \(peer): \(error)")
        }
    }

    private func answer(_ bytes: [UInt8], from peer: IPv4Address) -> DNSMessage? {
        switch handler.outcome(bytes.span, from: peer) {
        case .nothing: return nil
        case .reply(let reply, _): return reply
        case .ask(let query, let key):
            guard let forwarder else { return nil }
            let answered = DispatchSemaphore(value: 0)
            let answer = Answer()
            forwarder.ask(key) { message in
                answer.message.withLock { $0 = message }
                answered.signal()
            }
            answered.wait()
            return QueryHandler.reply(to: query, with: answer.message.withLock { $0 })
        }
    }

    /// Carries an answer from the forwarder's thread to the connection's.
    private final class Answer: Sendable {
        let message = Mutex<DNSMessage?>(nil)
    }
}
