import CLinux
import HTTP1
import HTTPServer
import Logging
import NetworkIO
import NetworkTypes
import Synchronization
import Testing

/// What a few threads for all connections must hold: nobody waits for anybody else, and nobody takes all places.
@Suite(.timeLimit(.minutes(5))) struct ManyConnectionsTests {
    private static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// A directory with one file `data` of patterned bytes.
    private final class Files {
        let directory: String
        init(size: Int) throws {
            var template = Array("/tmp/diskless-http-files-XXXXXX".utf8CString)
            try #require(unsafe mkdtemp(&template) != nil)
            directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try put("data", Self.pattern(size))
        }
        deinit {
            for name in ["data", "next"] { _ = unsafe unlink("\(directory)/\(name)") }; _ = unsafe rmdir(directory)
        }
        static func pattern(_ size: Int) -> [UInt8] {
            // Pieces of an odd length, so that no two blocks are alike.
            let piece = (0..<min(size, 9973)).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            while bytes.count < size { bytes += piece.prefix(size - bytes.count) }
            return bytes
        }
        func put(_ name: String, _ bytes: [UInt8]) throws {
            let file = unsafe clinux_open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { close(file) }
            var done = 0
            while done < bytes.count {
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe write(file, $0.baseAddress.map { unsafe $0 + done }, $0.count - done)
                }
                try #require(count > 0)
                done += count
            }
        }
        /// Names of this process' open descriptors that point to the file.
        var openCount: Int {
            (0..<256).count { number in
                var path = [CChar](repeating: 0, count: 256)
                let count = unsafe readlink("/proc/self/fd/\(number)", &path, 255)
                guard count > 0 else { return false }
                let text = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                return text.hasPrefix(directory + "/")
            }
        }
    }

    private func connect(_ server: HTTPServer) throws -> StreamSocket {
        guard case .tcp(let endpoint) = server.place else { throw SystemCallError("no TCP", number: EINVAL) }
        let socket = try StreamSocket(connectingTo: endpoint)
        socket.setTimeouts(receive: 5, send: 5)
        return socket
    }

    /// One reply: the head's text and the content, of which the head tells the length.
    private func reply(_ socket: StreamSocket, slowly: Bool = false) -> (head: String, content: [UInt8]) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: slowly ? 1500 : 65536)
        var end: Int?
        var length = 0
        while bytes.count < (end ?? .max - length) + length {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe (try? socket.receive(into: $0)) ?? 0 }
            if count <= 0 { break }
            bytes += buffer[..<count]
            guard end == nil, let found = HTTPRequestParser.endOfHead(bytes.span, from: 0) else { continue }
            end = found
            let head = String(decoding: bytes[..<found], as: UTF8.self)
            let line = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            length = line.flatMap { Int($0.dropFirst(16)) } ?? 0
        }
        return (String(decoding: bytes[..<(end ?? bytes.count)], as: UTF8.self), Array(bytes[(end ?? bytes.count)...]))
    }

    private func directoryServer(_ files: Files, _ options: HTTPServerOptions = .init()) throws -> HTTPServer {
        try HTTPServer(
            on: StreamListener(tcp: Endpoint(.loopback, 0)),
            handler: HTTPDirectory(files.directory, files: OpenFiles(keptSeconds: 1)),
            options: options,
            logger: Self.quiet
        )
    }

    private static let get = Array("GET /data HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    /// More than any socket buffer: the reply is taken up again each time the client has made room.
    @Test func slowReadersGetTheWholeFile() throws {
        let files = try Files(size: 10_000_000)
        let server = try directoryServer(files)
        defer { server.stop() }
        let sockets = try (0..<8).map { _ in try connect(server) }
        for socket in sockets { try socket.send(Self.get) }
        let wanted = Files.pattern(10_000_000)
        for (number, socket) in sockets.enumerated() {
            #expect(reply(socket, slowly: number == 0).content == wanted)
        }
    }

    @Test func everySizeOfAFileArrives() throws {
        for size in [0, 1, 704, 32_767, 32_768, 32_769, 49_152, 65_536, 200_001] {
            let files = try Files(size: size)
            let server = try directoryServer(files)
            defer { server.stop() }
            let socket = try connect(server)
            // The second time nothing is opened or written anew.
            for _ in 0..<3 {
                try socket.send(Self.get)
                #expect(reply(socket).content == Files.pattern(size))
            }
            try socket.send(Array("HEAD /data HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(reply(socket).head.contains("\r\nContent-Length: \(size)\r\n"))
        }
    }

    @Test func aReplacedFileShowsAndTheOldOneIsLetGo() throws {
        let files = try Files(size: 100)
        let server = try directoryServer(files)
        defer { server.stop() }
        let socket = try connect(server)
        try socket.send(Self.get)
        #expect(reply(socket).content.count == 100)
        try files.put("next", Files.pattern(50))
        #expect(unsafe rename("\(files.directory)/next", "\(files.directory)/data") == 0)
        let end = ContinuousClock.now + .seconds(4)
        var size = 100
        while size == 100, ContinuousClock.now < end {
            try socket.send(Self.get)
            size = reply(socket).content.count
        }
        #expect(size == 50)
        // What nobody asks for any more is closed, also while a client stays connected.
        let closed = ContinuousClock.now + .seconds(20)
        while files.openCount > 0, ContinuousClock.now < closed { sched_yield() }
        #expect(files.openCount == 0)
    }

    @Test func oneClientCannotTakeAllPlaces() throws {
        let files = try Files(size: 10)
        var options = HTTPServerOptions()
        options.connectionsPerPeer = 3
        let server = try directoryServer(files, options)
        defer { server.stop() }
        let sockets = try (0..<5).map { _ in try connect(server) }
        // The first two made room for the last two.
        for (number, socket) in sockets.enumerated().reversed() {
            try? socket.send(Self.get)
            #expect(reply(socket).content.count == (number < 2 ? 0 : 10), "connection \(number)")
        }
        #expect(server.connectionCount <= 3)
    }

    @Test func aRequestThatTricklesInIsEnded() throws {
        let files = try Files(size: 10)
        var options = HTTPServerOptions()
        options.requestSeconds = 1
        options.idleSeconds = 2
        let server = try directoryServer(files, options)
        defer { server.stop() }
        let slow = try connect(server)
        let silent = try connect(server)
        try slow.send(Array("GET /da".utf8))
        let answer = reply(slow)
        #expect(answer.head.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(reply(silent).head.isEmpty, "an idle connection is closed without a word")
    }

    /// A handler that waits for something, and one that does not.
    private struct Waiting: HTTPHandler {
        let gate: FileDescriptor
        func respond(to request: HTTPRequest) -> HTTPResponse {
            guard request.path.components == ["wait"] else { return .text(.ok, "here") }
            var wait = pollfd(fd: gate.number, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&wait, 1, 10_000)
            return .text(.ok, wait.revents != 0 ? "opened" : "never")
        }
    }

    @Test func answersThatWaitHoldNobodyUp() throws {
        let gate = try FileDescriptor("eventfd", eventfd(0, 0))
        var options = HTTPServerOptions()
        options.workers = 1
        let server = try HTTPServer(
            on: StreamListener(tcp: Endpoint(.loopback, 0)),
            handler: Waiting(gate: gate),
            options: options,
            logger: Self.quiet
        )
        defer { server.stop() }
        let waiting = try (0..<20).map { _ in try connect(server) }
        for socket in waiting { try socket.send(Array("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) }
        let quick = try connect(server)
        for _ in 0..<10 {
            try quick.send(Array("GET /now HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(reply(quick).content == Array("here\n".utf8))
        }
        eventfd_write(gate.number, 1)
        for socket in waiting { #expect(reply(socket).content == Array("opened\n".utf8)) }
    }

    @Test func manyRequestsAtOnceAreAnsweredInOrder() throws {
        let files = try Files(size: 300)
        let server = try directoryServer(files)
        defer { server.stop() }
        let socket = try connect(server)
        var requests: [UInt8] = []
        for start in 0..<200 {
            requests += Array("GET /data HTTP/1.1\r\nHost: a\r\nRange: bytes=\(start)-\(start + 9)\r\n\r\n".utf8)
        }
        // In pieces that end within a head.
        for start in stride(from: 0, to: requests.count, by: 997) {
            try socket.send(Array(requests[start..<min(start + 997, requests.count)]))
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        var contents: [[UInt8]] = []
        while contents.count < 200 {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe (try? socket.receive(into: $0)) ?? 0 }
            guard count > 0 else { break }
            received += buffer[..<count]
            while let end = HTTPRequestParser.endOfHead(received.span, from: 0), received.count >= end + 10 {
                contents.append(Array(received[end..<end + 10]))
                received.removeFirst(end + 10)
            }
        }
        let pattern = Files.pattern(300)
        #expect(contents == (0..<200).map { Array(pattern[$0..<$0 + 10]) })
    }
}
