import CLinux
import HTTP1
import HTTPServer
import Logging
import NetworkIO
import NetworkTypes
import Synchronization
import Testing

/// Answers a few paths, and keeps the reports.
private final class Answers: HTTPHandler {
    let reports = Mutex<[HTTPReport]>([])

    func respond(to request: HTTPRequest) -> HTTPResponse {
        switch request.path.components {
        case ["echo"]: return .bytes(request.body, type: "application/octet-stream")
        case ["who"]: return .text(.ok, "\(request.peer)")
        case ["stream"]:
            return HTTPResponse(.ok, body: .stream { for word in ["one ", "two "] { try $0.send(word) } })
        case ["endless"]:
            return HTTPResponse(
                .ok,
                body: .stream { stream in
                    for _ in 0..<1_000_000 where stream.isOpen { try stream.send([UInt8](repeating: 65, count: 4096)) }
                }
            )
        default: return .text(.ok, "hello")
        }
    }

    func finished(_ report: HTTPReport) { reports.withLock { $0.append(report) } }

    func wait(for count: Int) -> [HTTPReport] {
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end {
            let now = reports.withLock { $0 }
            if now.count >= count { return now }
        }
        return reports.withLock { $0 }
    }
}

@Suite(.timeLimit(.minutes(5))) struct HTTPServerTests {
    private let answers = Answers()
    private let path = "/tmp/diskless-http-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"

    private func serve(_ options: HTTPServerOptions = .init()) throws -> HTTPServer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try HTTPServer(on: StreamListener(unix: path), handler: answers, options: options, logger: logger)
    }

    /// Sends text on a new connection and reads until the server closes, or nothing comes for two seconds.
    private func talk(_ text: String) throws -> String {
        let socket = try StreamSocket(connectingTo: path)
        socket.setTimeouts(receive: 2)
        try socket.send(Array(text.utf8))
        return read(socket)
    }

    private func read(_ socket: StreamSocket, most: Int = 1 << 20) -> String {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while received.count < most {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe (try? socket.receive(into: $0)) ?? 0 }
            if count <= 0 { break }
            received += buffer[..<count]
        }
        return String(decoding: received, as: UTF8.self)
    }

    @Test func answersPipelinedRequestsInOrder() throws {
        let server = try serve()
        defer { server.stop() }
        let reply = try talk(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirstPOST /echo HTTP/1.1\r\nHost: a\r\n"
                + "Connection: close\r\nContent-Length: 6\r\n\r\nsecond"
        )
        let replies = reply.split(separator: "HTTP/1.1 200 OK\r\n")
        #expect(replies.map { $0.hasSuffix("first") } == [true, false])
        #expect(replies.map { $0.hasSuffix("second") } == [false, true])
        #expect(reply.contains("Connection: close"))
        #expect(answers.wait(for: 2).map(\.bytes) == [5, 6])
    }

    @Test func knowsTheProcessAtTheOtherEnd() throws {
        let server = try serve()
        defer { server.stop() }
        let reply = try talk("GET /who HTTP/1.0\r\n\r\n")
        #expect(reply.hasSuffix("\r\n\r\nprocess \(getpid()) of user \(getuid())\n"))
    }

    @Test func streamsInChunks() throws {
        let server = try serve()
        defer { server.stop() }
        let reply = try talk("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(reply.hasSuffix("\r\n\r\n4\r\none \r\n4\r\ntwo \r\n0\r\n\r\n"))
        #expect(try talk("GET /stream HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\none two "))
        #expect(try talk("HEAD / HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\n"))
    }

    @Test func aStreamEndsWhenItsClientLeaves() throws {
        let server = try serve()
        defer { server.stop() }
        let socket = try StreamSocket(connectingTo: path)
        try socket.send(Array("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        _ = read(socket, most: 10_000)
        socket.disconnect()
        #expect(answers.wait(for: 1).first?.isComplete == false)
    }

    @Test func asksForTheBodyThatIsHeldBack() throws {
        let server = try serve()
        defer { server.stop() }
        let socket = try StreamSocket(connectingTo: path)
        socket.setTimeouts(receive: 2)
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        try socket.send(Array(head.utf8))
        #expect(read(socket, most: 1) == "HTTP/1.1 100 Continue\r\n\r\n")
        try socket.send(Array("ok".utf8))
        #expect(read(socket).hasSuffix("ok"))
    }

    @Test(arguments: [
        ("GET /../../etc/shadow HTTP/1.1\r\nHost: a\r\n\r\n", "403 Forbidden"),
        ("GET /%2e%2e/%2e%2e/etc/shadow HTTP/1.1\r\nHost: a\r\n\r\n", "403 Forbidden"),
        ("nonsense\r\n\r\n", "400 Bad Request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411 Length Required"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "413 Content Too Large"),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "417 Expectation Failed"),
    ]) func refusesAndCloses(text: String, status: String) throws {
        let server = try serve()
        defer { server.stop() }
        #expect(try talk(text).hasPrefix("HTTP/1.1 \(status)\r\n"))
    }

    @Test func theLongestIdleConnectionMakesRoom() throws {
        var options = HTTPServerOptions()
        options.connections = 2
        let server = try serve(options)
        defer { server.stop() }
        // Held open, silent: they must not keep the third from its answer.
        let silent = try (0..<2).map { _ in try StreamSocket(connectingTo: path) }
        #expect(try talk("GET / HTTP/1.0\r\n\r\n").hasSuffix("hello\n"))
        #expect(silent.count == 2)
    }

    @Test func aLiveSocketIsNotTakenAway() throws {
        let server = try serve()
        let error = #expect(throws: SystemCallError.self) { try StreamListener(unix: path) }
        #expect(error?.number == EADDRINUSE)
        #expect(error?.description.contains("another program listens: stop it first") == true)
        #expect(try talk("GET / HTTP/1.0\r\n\r\n").hasSuffix("hello\n"))
        server.stop()
        // A killed program leaves its socket behind, which is nobody's; something else is never removed.
        let dead = try StreamListener(unix: path)
        shutdown(dead.descriptor.number, CInt(SHUT_RDWR))
        let next = try StreamListener(unix: path)
        dead.stop()
        #expect(unsafe access(path, F_OK) == 0, "stopping one listener must not remove another's socket")
        next.stop()
        #expect(unsafe access(path, F_OK) != 0)
        close(unsafe clinux_open(path, O_WRONLY | O_CREAT, 0o600))
        #expect(throws: SystemCallError.self) { try StreamListener(unix: path) }
        #expect(unsafe unlink(path) == 0, "a file is not removed")
    }

    @Test func onlyTheOwnerMayConnect() throws {
        let listener = try StreamListener(unix: path)
        defer { listener.stop() }
        var status = stat()
        #expect(unsafe lstat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    /// A reader that stops for a while must not be cut off by the kernel before the server's own limit.
    @Test func theKernelIsAsPatientAsTheServer() throws {
        let listener = try StreamListener(tcp: Endpoint(.loopback, 0))
        guard case .tcp(let endpoint) = listener.place else { return }
        let socket = try StreamSocket(connectingTo: endpoint)
        for (patience, milliseconds) in [(nil, 15_000), (30, 30_000)] as [(Int?, CInt)] {
            if let patience { socket.setPromptDelivery(patience: patience) } else { socket.setPromptDelivery() }
            var value: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            _ = unsafe getsockopt(socket.descriptor.number, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, &length)
            #expect(value == milliseconds)
        }
    }

    @Test func survivesGarbage() throws {
        let server = try serve()
        defer { server.stop() }
        for _ in 0..<100 {
            let socket = try StreamSocket(connectingTo: path)
            let bytes = (0..<200).map { _ in UInt8.random(in: 0...255) }
            try? socket.send(bytes + Array("\r\n\r\n".utf8))
        }
        #expect(try talk("GET / HTTP/1.0\r\n\r\n").hasSuffix("hello\n"))
    }
}
