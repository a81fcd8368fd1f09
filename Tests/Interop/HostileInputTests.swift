import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// What nobody well-meaning sends, against the whole server.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct HostileInputTests {
    /// A generator whose numbers are the same at each run.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
        mutating func bytes(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
        }
    }

    @Test(arguments: [
        "/../../etc/shadow", "/%2e%2e/%2e%2e/etc/shadow", "/..%2f..%2fetc%2fshadow", "/loaders/../../../../etc/shadow",
        "/loaders/..%2f..%2f..%2fetc%2fshadow", "/images/debian/1/../../../../etc/shadow",
        "/images/..%2f..%2fetc/1/shadow",
        "/images/debian/1/%2e%2e%2fmanifest.json", "/images/debian/1/manifest.json", "//etc/shadow",
        "/loaders/%2fetc%2fshadow", "/etc/shadow", "/images/debian/1/..\\..\\shadow", "/%c0%ae%c0%ae/etc/shadow",
    ])
    func httpStaysInside(path: String) throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let answer = try server.client(
            "curl",
            "-sS",
            "--path-as-is",
            "-w",
            "%{http_code}",
            "http://\(ServerProcess.address):8067\(path)"
        )
        #expect(["400", "403", "404"].contains(answer.output.suffix(3)), "\(answer.output)")
        #expect(answer.output.split(separator: "\n").count == 2, "one line and the status: \(answer.output)")
        #expect(!answer.output.contains("root:"))
    }

    @Test func tftpStaysInside() throws {
        let server = try ServerProcess()
        try server.start()
        for name in [
            "../../etc/shadow", "/etc/shadow", "..\\..\\etc\\shadow", "/../../../../etc/shadow",
            "loaders/../../etc/shadow",
            "%2e%2e/etc/shadow", "undionly.kpxe/../../../../../etc/shadow", "../images/debian/1/manifest.json",
            "registry.sqlite",
        ] {
            let target = server.files.path("stolen")
            let answer = try server.client(
                "tftp",
                "-m",
                "binary",
                "\(ServerProcess.address)",
                "-c",
                "get",
                name,
                target
            )
            #expect(answer.output.contains("Error code"), "\(name): \(answer.output)")
            #expect(NBDClientProgram.bytes(target).isEmpty, "\(name)")
        }
        #expect(server.log.split(separator: "\n").count { $0.contains("'../../etc/shadow' refused: '..'") } == 1)
    }

    /// Good clients are served while rubbish comes to every port; afterwards the server has grown by little.
    @Test func rubbishOnEveryPort() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        try expectGoodService(server)
        try Self.sendRubbish(to: server, seed: 1, rounds: 300)
        let before = try server.memory()
        for seed in 2...4 as ClosedRange<UInt64> {
            try Self.sendRubbish(to: server, seed: seed, rounds: 300)
            try expectGoodService(server)
        }
        #expect(server.isAlive)
        let after = try server.memory()
        #expect(after - before < 4096, "from \(before) to \(after) KiB")
    }

    @Test func fiveHundredClientsThatSayNothing() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        try expectGoodService(server)
        for port in [8067, 10809] as [UInt16] {
            let silent = try TestNetwork.socket(in: server.network.client) {
                try (0..<500).map { _ in try StreamSocket(connectingTo: Endpoint(ServerProcess.address, port)) }
            }
            try expectGoodService(server)
            withExtendedLifetime(silent) {}
        }
        let silent = try (0..<500).map { _ in try StreamSocket(connectingTo: server.state + "/admin.sock") }
        try expectGoodService(server)
        withExtendedLifetime(silent) {}
        #expect(server.isAlive)
    }

    private func expectGoodService(_ server: ServerProcess) throws {
        let address = "\(ServerProcess.address)"
        // From the server itself: another computer gets an image only while it boots it.
        #expect(try server.run(["nbdinfo", "--size", "nbd://\(address)/debian@1"]).output == "1048576\n")
        let file = try server.client("curl", "-sS", "-m", "20", "http://\(address):8067/images/debian/1/kernel")
        #expect(file.output == "kernel of debian", "\(file.errors)")
        let loader = server.files.path("loader")
        let fetched = try server.client("tftp", "-m", "binary", address, "-c", "get", "undionly.kpxe", loader)
        #expect(NBDClientProgram.bytes(loader).count > 50_000, "\(fetched.output)")
        #expect(try server.diskless("status").status == 0)
    }

    /// Where rubbish comes from: the server bounds the transfers of one address, and good clients have another.
    private static let stranger = IPv4Address(10, 77, 0, 3)

    /// Random packets, and good beginnings that are cut or bent.
    private static func sendRubbish(to server: ServerProcess, seed: UInt64, rounds: Int) throws {
        var random = Seeded(state: seed)
        let udp = try TestNetwork.socket(in: server.network.client) { try UDPSocket(bind: Endpoint(Self.stranger, 0)) }
        for round in 0..<rounds {
            for (port, good) in [
                (67, DiscoverPacket.bytes(from: [0x52, 0x54, 0, 0x77, 0, 9])),
                (4011, DiscoverPacket.bytes(from: [0x52, 0x54, 0, 0x77, 0, 9])), (69, Self.readRequest),
            ] {
                let packet = Self.rubbish(good, round, &random)
                try? udp.send(packet.span, to: Endpoint(ServerProcess.address, UInt16(port)))
            }
        }
        for round in 0..<(rounds / 10) {
            for (port, good) in [(8067, Self.httpRequest), (10809, Self.nbdHandshake)] {
                let bytes = Self.rubbish(good, round, &random)
                let stream = try TestNetwork.socket(in: server.network.client) {
                    try StreamSocket(connectingTo: Endpoint(ServerProcess.address, UInt16(port)))
                }
                // It may have hung up before all is sent.
                try? stream.send(bytes)
            }
            let admin = try StreamSocket(connectingTo: server.state + "/admin.sock")
            try? admin.send(Self.rubbish(Self.httpRequest, round, &random))
        }
    }

    /// By turns: random bytes, a good message cut short, one with bytes changed, and nothing at all.
    private static func rubbish(_ good: [UInt8], _ round: Int, _ random: inout Seeded) -> [UInt8] {
        switch round % 4 {
        case 0: return random.bytes(Int.random(in: 0...1400, using: &random))
        case 1: return Array(good.prefix(Int.random(in: 0..<good.count, using: &random)))
        case 2:
            var bytes = good
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            return bytes
        default: return good + random.bytes(Int.random(in: 1...600, using: &random))
        }
    }

    private static let readRequest: [UInt8] =
        [0, 1] + Array("undionly.kpxe\0octet\0blksize\01468\0tsize\00\0windowsize\016\0".utf8)

    private static let httpRequest = Array(
        "GET /images/debian/1/kernel HTTP/1.1\r\nHost: a\r\nRange: bytes=0-4\r\nConnection: close\r\n\r\n".utf8
    )

    /// Client flags, then NBD_OPT_GO of "debian@1", then a read.
    private static let nbdHandshake: [UInt8] =
        [0, 0, 0, 3] + Array("IHAVEOPT".utf8) + [0, 0, 0, 7, 0, 0, 0, 14, 0, 0, 0, 8] + Array("debian@1".utf8) + [0, 0]
        + [0x25, 0x60, 0x95, 0x13, 0, 0, 0, 0] + [UInt8](repeating: 7, count: 16) + [0, 0, 2, 0]
}
