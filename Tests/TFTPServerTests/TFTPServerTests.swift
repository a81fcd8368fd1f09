import Logging
import NetworkIO
import NetworkTypes
import Synchronization
import TFTP
import TFTPServer
import Testing

/// Contents by name, and what became of the transfers.
private final class Contents: TFTPContentSource {
    let reports = Mutex<[TFTPTransferReport]>([])
    let ended = Mutex(0)

    static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    func content(for request: TFTPContentRequest) -> TFTPContent {
        guard let count = Int(request.name.path) else {
            return .refused(.fileNotFound, "no file '\(request.name)' here")
        }
        return .bytes(Self.bytes(count))
    }

    func finished(_ report: TFTPTransferReport) { reports.withLock { $0.append(report) } }

    /// The reports once there are `count` of them; waits two seconds at most.
    func reports(_ count: Int) -> [TFTPTransferReport] {
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end {
            let now = reports.withLock { $0 }
            if now.count >= count { return now }
        }
        return reports.withLock { $0 }
    }
}

@Suite(.timeLimit(.minutes(5))) struct TFTPServerTests {
    private let contents = Contents()

    private func serve(_ options: TFTPServerOptions = .init()) throws -> TFTPServer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try TFTPServer(on: Endpoint(.loopback, 0), source: contents, options: options, logger: logger)
    }

    @Test(arguments: [0, 1, 511, 512, 513, 1024, 200_000]) func sendsEverySize(size: Int) throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(try client.get("\(size)") == Contents.bytes(size))
        let windowed: [TFTPOption] = [.init(.blockSize, "1468"), .init(.windowSize, "16"), .init(.transferSize, "0")]
        #expect(try client.get("\(size)", options: windowed) == Contents.bytes(size))
        let reports = contents.reports(2)
        #expect(reports.map(\.outcome) == [.complete, .complete])
        #expect(reports.map(\.bytes) == [UInt64(size), UInt64(size)])
    }

    @Test func blockNumbersRollOver() throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        let options: [TFTPOption] = [.init(.blockSize, "8"), .init(.windowSize, "64")]
        #expect(try client.get("600000", options: options) == Contents.bytes(600_000))
    }

    @Test(arguments: [1, 4, 16]) func arrivesWholeWhenTenPercentIsLost(window: Int) throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint, losesEvery: 10)
        let options: [TFTPOption] = [.init(.windowSize, "\(window)"), .init(.blockSize, "1024")]
        #expect(try client.get("50000", options: options) == Contents.bytes(50_000))
    }

    @Test func sharesOnePortWhenAsked() throws {
        var options = TFTPServerOptions()
        options.usesSinglePort = true
        let server = try serve(options)
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(try client.get("5000", options: [.init(.windowSize, "4")]) == Contents.bytes(5000))
        #expect(contents.reports(1).first?.outcome == .complete)
    }

    @Test func writesLineEndsInNetascii() throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(try client.get("300", mode: .netascii) == Netascii.encode(Contents.bytes(300)))
    }

    @Test(arguments: ["../../etc/shadow", #"..\..\etc\shadow"#]) func refusesToLeave(name: String) throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(
            throws: TFTPTestClient.Failure.refused(
                .accessViolation,
                "'..' in a file name is refused: name the file from the top of the served directory"
            )
        ) { try client.get(name) }
    }

    @Test func refusesInOneLine() throws {
        let server = try serve()
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(throws: TFTPTestClient.Failure.refused(.fileNotFound, "no file 'none' here")) { try client.get("none") }
        #expect(throws: TFTPTestClient.Failure.refused(.illegalOperation, "mode 'mail' is not known: use octet")) {
            try client.get("5", mode: .init(rawValue: "mail"))
        }
        #expect(throws: TFTPTestClient.Failure.refused(.accessViolation, "this server only hands out files")) {
            try client.get(.writeRequest(TFTPRequest(fileName: [0x61])))
        }
    }

    @Test func boundsTransfers() throws {
        var options = TFTPServerOptions()
        options.transfersPerPeer = 0
        let server = try serve(options)
        defer { server.stop() }
        var client = TFTPTestClient(server.endpoint)
        #expect(throws: TFTPTestClient.Failure.refused(.notDefined, "too many transfers at a time: try again later")) {
            try client.get("5")
        }
    }

    @Test func survivesGarbage() throws {
        let server = try serve()
        defer { server.stop() }
        let socket = try UDPSocket(bind: Endpoint(.loopback, 0))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 1..<64, using: &random)).map { _ in UInt8.random(in: 0...8, using: &random)
            }
            try socket.send(bytes.span, to: server.endpoint)
        }
        var client = TFTPTestClient(server.endpoint)
        #expect(try client.get("1000") == Contents.bytes(1000))
    }
}
