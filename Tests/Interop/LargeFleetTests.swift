import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// How long a machine waits for its offer when the server knows ten thousand.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct LargeFleetTests {
    private static let count = 10_000

    private static func mac(_ number: Int) -> [UInt8] {
        [0x52, 0x54, 1, UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8)]
            + [UInt8(truncatingIfNeeded: number)]
    }

    private static func text(_ mac: [UInt8]) -> String {
        mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    @Test func offersAreQuick() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start(["--interface", TestNetwork.interface, "--dhcp", "proxy"])
        let file = server.files.path("fleet.yaml")
        let nodes = (0..<Self.count).map { "  - {name: n\($0), mac: \"\(Self.text(Self.mac($0)))\"}\n" }
        try MadeUpImage.write("nodes:\n" + nodes.joined(), file)
        let clock = ContinuousClock()
        let begin = clock.now
        #expect(try server.diskless("apply", file).status == 0)
        let apply = clock.now - begin
        let relay = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(IPv4Address(10, 77, 0, 2), 67))
        }
        var times: [Duration] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        for number in 0..<2000 {
            let packet = DiscoverPacket.bytes(
                from: Self.mac(number * 5),
                transaction: UInt32(number),
                relay: [10, 77, 0, 2]
            )
            let begin = clock.now
            try relay.send(packet.span, to: Endpoint(ServerProcess.address, 67))
            var waiting = pollfd(fd: relay.descriptor.number, events: Int16(POLLIN), revents: 0)
            try #require(unsafe poll(&waiting, 1, 5000) == 1, "no offer for node \(number * 5)")
            let (length, _) = try #require(try relay.receive(into: &buffer))
            times.append(clock.now - begin)
            #expect(Array(buffer[28..<34]) == Self.mac(number * 5))
            #expect(String(decoding: buffer[..<length], as: UTF8.self).contains("undionly.kpxe"))
        }
        times.sort()
        let median = times[times.count / 2]
        print(
            "10,000 nodes: applied in \(apply), DISCOVER to OFFER median \(median), p99 \(times[times.count * 99 / 100])"
        )
        #expect(median < .milliseconds(2))
        let memory = try server.memory()
        #expect(memory < 200_000, "\(memory) KiB")
        print("10,000 nodes: memory of the server \(memory) KiB")
    }
}
