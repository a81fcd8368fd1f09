import CLinux
import DNS
import NetworkIO
import NetworkTypes
import Synchronization

@testable import DNSServer

/// Tries again when the port that the kernel chose for UDP is taken for TCP, by a connection of some other test.
func withFreePort<Result>(_ body: () throws -> Result) throws -> Result {
    for _ in 0..<20 {
        do { return try body() } catch is PortTaken { continue }
    }
    return try body()
}

/// A server that others' names are asked of: it knows everything but `none.…`, at 192.0.2.1.
final class Upstream: Sendable {
    struct Asked: Sendable {
        var message: DNSMessage
        var peer: Endpoint
    }

    private let socket: UDPSocket
    private let listener: StreamListener
    private let wait: ReadinessWait
    private let log = Mutex<(asked: [Asked], streams: Int)>(([], 0))
    private let code: ResponseCode?
    private let truncates: Bool
    private let forges: Bool

    var endpoint: Endpoint { socket.endpoint }
    var asked: [Asked] { log.withLock(\.asked) }
    var askedOverTCP: Int { log.withLock(\.streams) }

    init(code: ResponseCode? = nil, truncates: Bool = false, forges: Bool = false) throws {
        self.code = code
        self.truncates = truncates
        self.forges = forges
        (socket, listener) = try withFreePort {
            let socket = try UDPSocket(bind: Endpoint(.loopback, 0))
            return (socket, try StreamListener(tcp: socket.endpoint))
        }
        wait = try ReadinessWait([socket.descriptor])
        try WorkerThread.start("upstream", stackBytes: 1 << 20) { [self] in serve() }
        try WorkerThread.start("upstream-tcp", stackBytes: 1 << 20) { [self] in
            while let stream = try? listener.accept() {
                guard let bytes = try? TCPFraming.receive(from: stream, seconds: 5),
                    let query = try? DNSMessage(bytes.span)
                else { continue }
                log.withLock { $0.streams += 1 }
                try? stream.send(TCPFraming.framed(answer(query).encoded()))
            }
        }
    }

    func stop() {
        wait.stop()
        listener.stop()
    }

    private func serve() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while (try? wait.next()) == true {
            guard let (count, origin) = try? socket.receiveWithoutWaiting(into: &buffer),
                let query = try? DNSMessage(buffer.span.extracting(0..<count))
            else { continue }
            log.withLock { $0.asked.append(Asked(message: query, peer: origin.peer)) }
            if forges { forge(query, origin.peer) }
            try? socket.send(answer(query).encoded(limit: truncates ? 512 : 65_535).span, to: origin.peer)
        }
    }

    private func answer(_ query: DNSMessage) -> DNSMessage {
        var reply = query.reply(code ?? .noError)
        reply.offersRecursion = true
        guard code == nil, let question = query.questions.first else { return reply }
        if question.name.isWithin(name("none.example.org")) {
            reply.code = .noSuchName
            let start = StartOfAuthority(
                server: .root,
                mailbox: .root,
                serial: 1,
                refresh: 1,
                retry: 1,
                expire: 1,
                negativeTTL: 60
            )
            reply.authorities = [DNSRecord(name("example.org"), ttl: 60, .startOfAuthority(start))]
            return reply
        }
        reply.answers = (0..<(truncates ? 200 : 1)).map {
            DNSRecord(question.name, ttl: 60, .address(IPv4Address(value: 0xc000_0201 + UInt32($0))))
        }
        return reply
    }

    /// Answers that somebody else could have sent: another id, another question, a question, and no message at all.
    private func forge(_ query: DNSMessage, _ peer: Endpoint) {
        var false1 = answer(query)
        false1.answers = [DNSRecord(name("www.example.org"), ttl: 60, .address(IPv4Address(6, 6, 6, 6)))]
        var false2 = false1
        false1.id &+= 1
        false2.questions = [DNSQuestion(name("evil.example.org"), .a)]
        var false3 = false2
        false3.questions = query.questions
        false3.isResponse = false
        for forged in [false1, false2, false3] { try? socket.send(forged.encoded().span, to: peer) }
        try? socket.send([1, 2, 3].span, to: peer)
    }
}
