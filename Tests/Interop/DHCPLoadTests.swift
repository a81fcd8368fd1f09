import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// Many clients at once (perfdhcp, of Kea), and crashes in the middle of it.
@Suite(
    .serialized,
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .enabled(if: ["perfdhcp", "tcpdump"].allSatisfy(NBDClientProgram.isThere), "needs perfdhcp and tcpdump"),
    .boundedWait
) struct DHCPLoadTests {
    /// Clients behind a relay agent, as perfdhcp speaks, on a subnet with room for all of them.
    private static let fleet = """
        networks:
          - name: far
            subnet: 10.66.0.0/16
            dhcp: full
            pools: [10.66.1.0-10.66.254.254]
            relays: [10.77.0.2]
            lease: 1h
          - name: near
            interface: \(TestNetwork.interface)
            subnet: 10.77.0.0/24
            dhcp: full
            pools: [10.77.0.100-10.77.0.120]

        """

    private func load(rate: Int, seconds: Int) -> [String] {
        [
            "perfdhcp", "-4", "-l", TestNetwork.interface, "-r", "\(rate)", "-R", "40000", "-p", "\(seconds)", "-W",
            "500000", "10.77.0.1",
        ]
    }

    /// A figure of perfdhcp's report: for the exchange of addresses, then for that of leases.
    private func figures(_ name: String, _ report: String) -> [Int] {
        report.split(separator: "\n").filter { $0.hasPrefix(name + ":") }
            .compactMap { Int($0.dropFirst(name.count + 1).filter(\.isNumber)) }
    }

    @Test func perfdhcpLosesNothing() throws {
        let server = try ServerProcess()
        try server.start(["--log", "info"])
        try server.apply(Self.fleet)
        try server.wait("\(server.log)") { server.log.contains("DHCP answers on") }
        let got = try server.run(load(rate: 400, seconds: 5), in: server.network.client)
        let sent = figures("sent packets", got.output)
        #expect(sent.count == 2 && sent.allSatisfy { $0 > 1000 }, "\(got.output)\(got.errors)")
        #expect(figures("drops", got.output) == [0, 0], "\(got.output)")
        #expect(try server.leases().count >= sent[1])
    }

    /// One ACK on the wire: which address for which machine.
    private struct Acknowledged: Hashable {
        var address: String
        var mac: String
    }

    /// Killed again and again while perfdhcp runs: what was acknowledged is kept, and nobody else gets it.
    @Test func acknowledgedLeasesSurviveKills() throws {
        let server = try ServerProcess()
        func start() throws { try server.start(["--log", "warning"], awaiting: nil) }
        try server.start(["--log", "info"])
        try server.apply(Self.fleet)
        try server.wait("\(server.log)") { server.log.contains("DHCP answers on") }
        let trace = server.files.path("trace.pcap")
        let tcpdump = try ClientProcess(
            [
                "tcpdump", "-i", TestNetwork.interface, "-Z", "root", "-U", "-B", "32768", "-s", "400", "-w", trace,
                "udp and src host 10.77.0.1 and src port 67",
            ],
            in: server.network.client
        )
        try server.wait("tcpdump does not start") { NBDClientProgram.bytes(trace).count >= 24 }
        let perfdhcp = try ClientProcess(
            load(rate: 800, seconds: 14),
            in: server.network.client,
            log: server.files.path("perfdhcp")
        )
        defer { perfdhcp.kill() }
        var kills = 0
        // At no moment in particular: after some more answers each time, which the disk may still be keeping.
        for more in [300, 900, 500, 1500, 100, 700] {
            let count = NBDClientProgram.bytes(trace).count
            try server.wait(seconds: 15, "no more answers: \(server.log)") {
                NBDClientProgram.bytes(trace).count > count + more * 340
            }
            server.kill()
            kills += 1
            try start()
        }
        let count = NBDClientProgram.bytes(trace).count
        try server.wait(seconds: 15, "no answers after the last start") {
            NBDClientProgram.bytes(trace).count > count + 300 * 340
        }
        server.kill()
        tcpdump.signal(SIGTERM)
        tcpdump.wait()
        try server.start(["--log", "info"])

        let acknowledged = try acknowledged(in: NBDClientProgram.bytes(trace))
        var holders: [String: String] = [:]
        var twice: [String] = []
        for one in acknowledged {
            if let other = holders.updateValue(one.mac, forKey: one.address), other != one.mac {
                twice.append(one.address)
            }
        }
        let kept = try server.leases()
        let forgotten = holders.filter { kept[$0.key] != $0.value }
        print("\(kills + 1) kills, \(acknowledged.count) ACKs, \(holders.count) addresses, \(kept.count) leases kept")
        #expect(holders.count > 1000)
        #expect(twice.isEmpty, "given to two machines: \(twice.prefix(5))")
        #expect(forgotten.isEmpty, "\(forgotten.count) forgotten: \(forgotten.prefix(5))")
    }

    /// The ACKs of a capture file, in order.
    private func acknowledged(in bytes: [UInt8]) throws -> [Acknowledged] {
        var all: [Acknowledged] = []
        var at = 24
        while at + 16 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[at + 8 + $1]) << (8 * $1) }
            let frame = bytes[min(at + 16, bytes.count)..<min(at + 16 + length, bytes.count)]
            at += 16 + length
            // Ethernet, IP without options, UDP.
            guard frame.count == length, let answer = WireAnswer(Array(frame.dropFirst(42))),
                answer.type == WireRequest.acknowledge
            else { continue }
            let mac = answer.mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
            all.append(Acknowledged(address: "\(answer.address)", mac: mac))
        }
        return all
    }
}
