import CLinux
import DNS
import Logging
import NetworkIO
import NetworkTypes
import Synchronization
import Testing

@testable import DNSServer

func name(_ text: String) -> DNSName { DNSName(text) ?? .root }

/// A message that must have come.
func decoded(_ bytes: [UInt8]?) throws -> DNSMessage {
    let bytes = try #require(bytes)
    return try DNSMessage(bytes.span)
}

/// One name, `node1.lab.`, and whether others' names may be asked.
struct OneName: DNSAuthority {
    var serves = true

    func answer(to question: DNSQuestion) -> AuthoritativeAnswer? {
        guard question.name.isWithin(name("lab")) else { return nil }
        guard question.name == name("node1.lab") else { return AuthoritativeAnswer(code: .noSuchName) }
        return AuthoritativeAnswer(answers: [DNSRecord(question.name, ttl: 60, .address(IPv4Address(10, 0, 0, 1)))])
    }
    func shortAnswer(to question: DNSQuestion) -> AuthoritativeAnswer? {
        question.name == name("node1") ? AuthoritativeAnswer() : nil
    }
    func serves(_ address: IPv4Address) -> Bool { serves }
}

/// A client's socket, and what it asks.
struct Client {
    let socket: ConnectedDatagramSocket

    init(_ server: DNSServer) throws {
        socket = try ConnectedDatagramSocket(from: .loopback, to: server.endpoints[0])
    }

    /// The raw bytes of the next datagram; nil when none comes within so many milliseconds.
    func receive(milliseconds: CInt = 5000) throws -> [UInt8]? {
        var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wait, 1, milliseconds) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe socket.receive(into: $0) } ?? 0
        return Array(buffer[..<count])
    }

    func ask(_ text: String, _ type: RecordType = .a, id: UInt16 = 77, extended: UInt16? = nil) throws -> DNSMessage {
        var query = DNSMessage(id: id, questions: [DNSQuestion(name(text), type)])
        query.wantsRecursion = true
        query.extended = extended.map { ExtendedOptions(payloadSize: $0) }
        socket.send(query.encoded())
        let bytes = try #require(try receive(), "no answer for \(text)")
        let answer = try DNSMessage(bytes.span)
        #expect(answer.id == id && answer.isResponse && answer.questions == query.questions)
        return answer
    }
}

@Suite("The DNS server", .timeLimit(.minutes(5)))
struct DNSServerTests {
    private func server(_ upstreams: [Endpoint] = [], authority: OneName = OneName()) throws -> DNSServer {
        var options = DNSServerOptions(upstreams: upstreams)
        options.patience = [300, 300, 300]
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return try withFreePort {
            try DNSServer(on: [Endpoint(.loopback, 0)], authority: authority, options: options, logger: logger)
        }
    }

    @Test func answersOwnNamesWithoutOthers() throws {
        let server = try server()
        defer { server.stop() }
        let client = try Client(server)
        let answer = try client.ask("NODE1.lab")
        #expect(answer.isAuthoritative && !answer.offersRecursion && answer.answers.count == 1)
        #expect(try client.ask("no.lab").code == .noSuchName)
        #expect(try client.ask("example.org").code == .refused)
        #expect(try client.ask("localhost").answers.first?.data == .address(.loopback))
        #expect(try client.ask("printer.local").code == .noSuchName)
        #expect(try client.ask("node1").code == .noError)
        #expect(try client.ask("nobody").code == .noSuchName)
        #expect(try client.ask("node1.lab", .axfr).code == .refused)
        #expect(try client.ask("node1.lab", extended: 4096).extended != nil)
    }

    @Test func refusesWhatIsNoQuery() throws {
        let server = try server()
        defer { server.stop() }
        let client = try Client(server)
        // An answer and half a header get nothing, so the next reply is that of the broken query.
        client.socket.send(DNSMessage(id: 1, flags: 0x8000, questions: [DNSQuestion(name("a.lab"), .a)]).encoded())
        client.socket.send([1, 2, 3])
        client.socket.send([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])
        let broken = try decoded(try client.receive())
        #expect(broken.id == 9 && broken.code == .formatError)
        client.socket.send(DNSMessage(id: 2, flags: 0x2800, questions: [DNSQuestion(name("a.lab"), .soa)]).encoded())
        #expect(try decoded(try client.receive()).code == .notImplemented)
        var query = DNSMessage(id: 3, questions: [DNSQuestion(name("node1.lab"), .a)])
        query.extended = ExtendedOptions(payloadSize: 512, version: 1)
        client.socket.send(query.encoded())
        #expect(try decoded(try client.receive()).code == .badVersion)
        client.socket.send(DNSMessage(id: 4).encoded())
        #expect(try decoded(try client.receive()).code == .formatError)
    }

    @Test func survivesGarbage() throws {
        let server = try server()
        defer { server.stop() }
        let client = try Client(server)
        let query = DNSMessage(id: 1, questions: [DNSQuestion(name("node1.lab"), .a)]).encoded()
        for _ in 0..<5000 {
            var bytes = query
            for _ in 0..<Int.random(in: 1...8) { bytes[Int.random(in: bytes.indices)] = .random(in: 0...255) }
            client.socket.send(bytes)
        }
        // The flood may have filled the server's buffer: a client asks again, as every resolver does.
        let other = try Client(server)
        var answer: [UInt8]?
        for _ in 0..<50 where answer == nil {
            other.socket.send(query)
            answer = try other.receive(milliseconds: 200)
        }
        #expect(try decoded(answer).answers.count == 1)
    }

    @Test func asksOthersOnceAndKeepsTheAnswer() throws {
        let upstream = try Upstream()
        defer { upstream.stop() }
        let server = try server([upstream.endpoint])
        defer { server.stop() }
        let client = try Client(server)
        let first = try client.ask("www.example.org")
        #expect(first.answers.map(\.data) == [.address(IPv4Address(192, 0, 2, 1))] && first.offersRecursion)
        #expect(!first.isAuthoritative && first.extended == nil)
        #expect(try client.ask("WWW.example.ORG", id: 9).answers.count == 1)
        #expect(upstream.asked.count == 1)
        #expect(try client.ask("none.example.org").code == .noSuchName)
        #expect(try client.ask("none.example.org").code == .noSuchName)
        #expect(upstream.asked.count == 2)
        // Each question has a port and an id of its own.
        #expect(Set(upstream.asked.map(\.peer.port)).count == 2)
        #expect(upstream.asked.allSatisfy { $0.message.extended?.payloadSize == 1232 })
    }

    @Test func refusesStrangers() throws {
        let upstream = try Upstream()
        defer { upstream.stop() }
        let server = try server([upstream.endpoint], authority: OneName(serves: false))
        defer { server.stop() }
        let client = try Client(server)
        #expect(try client.ask("www.example.org").code == .refused)
        #expect(try client.ask("node1.lab").answers.count == 1)
        #expect(upstream.asked.isEmpty)
    }

    @Test func goesOnToTheNextServer() throws {
        let dead = try UDPSocket(bind: Endpoint(.loopback, 0))
        let failing = try Upstream(code: .serverFailure)
        let living = try Upstream()
        defer {
            failing.stop()
            living.stop()
        }
        let server = try server([dead.endpoint, failing.endpoint, living.endpoint])
        defer { server.stop() }
        let client = try Client(server)
        #expect(try client.ask("www.example.org").answers.count == 1)
        #expect(failing.asked.count == 1 && living.asked.count == 1)
        // The one that answered is asked first from now on.
        #expect(try client.ask("www2.example.org").answers.count == 1)
        #expect(failing.asked.count == 1 && living.asked.count == 2)
    }

    @Test func saysWhenNobodyAnswers() throws {
        let dead = try UDPSocket(bind: Endpoint(.loopback, 0))
        let server = try server([dead.endpoint])
        defer { server.stop() }
        #expect(try Client(server).ask("www.example.org").code == .serverFailure)
    }

    @Test func takesNoAnswerThatWasNotAskedFor() throws {
        let upstream = try Upstream(forges: true)
        defer { upstream.stop() }
        let server = try server([upstream.endpoint])
        defer { server.stop() }
        #expect(try Client(server).ask("www.example.org").answers.map(\.data) == [.address(IPv4Address(192, 0, 2, 1))])
    }

    @Test func asksOverTCPForMore() throws {
        let upstream = try Upstream(truncates: true)
        defer { upstream.stop() }
        let server = try server([upstream.endpoint])
        defer { server.stop() }
        let client = try Client(server)
        let answer = try client.ask("big.example.org")
        #expect(answer.isTruncated && answer.answers.count < 200)
        // The same over TCP, whole, and two on one connection.
        let stream = try StreamSocket(connectingTo: server.endpoints[0], timeoutSeconds: 5)
        for id: UInt16 in 1...2 {
            var query = DNSMessage(id: id, questions: [DNSQuestion(name("big.example.org"), .a)])
            query.wantsRecursion = true
            try stream.send(TCPFraming.framed(query.encoded()))
            let whole = try decoded(try TCPFraming.receive(from: stream, seconds: 5))
            #expect(whole.id == id && !whole.isTruncated && whole.answers.count == 200)
        }
        #expect(upstream.askedOverTCP == 1)
    }

    @Test func oneClientDoesNotHoldAllConnections() throws {
        let server = try server()
        defer { server.stop() }
        let streams = try (0..<20).map { _ in try StreamSocket(connectingTo: server.endpoints[0], timeoutSeconds: 5) }
        let query = TCPFraming.framed(DNSMessage(id: 1, questions: [DNSQuestion(name("node1.lab"), .a)]).encoded())
        var answered = 0
        for stream in streams {
            try? stream.send(query)
            if (try? TCPFraming.receive(from: stream, seconds: 5)) != nil { answered += 1 }
        }
        #expect(answered == DNSServerOptions().connectionsOfOne)
    }
}
