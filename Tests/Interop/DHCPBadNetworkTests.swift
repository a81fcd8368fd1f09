import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// Wires that lose, repeat and reorder, other servers, greedy and broken clients: none hangs the server or another client.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct DHCPBadNetworkTests {
    private typealias Kind = WireRequest

    private static func fleet(pool: String, _ keys: String = "", nodes: String = "") -> String {
        """
        networks:
          - name: lab
            interface: \(TestNetwork.interface)
            subnet: 10.77.0.0/24
            dhcp: full
            pools: [\(pool)]
            lease: 1h
        \(keys)
        """ + nodes
    }

    /// One made-up client, as far as it got.
    private struct Client {
        var mac: [UInt8]
        var pending: WireRequest
        var asked = ContinuousClock.now
        var address: IPv4Address?
    }

    /// Sixty clients for sixty addresses on a bad wire: each gets one, no two the same, and the server knows the same.
    @Test func lossDuplicatesDelayAndReordering() throws {
        let server = try ServerProcess()
        try server.startDHCP(Self.fleet(pool: "10.77.0.100-10.77.0.159"))
        let wire = try DHCPWire(server)
        var there = BadWire<[UInt8]>(seed: 1)
        var back = BadWire<WireAnswer>(seed: 2)
        var clients = (0..<60).map { number in
            Client(mac: Kind.mac(number), pending: WireRequest(Kind.discover, mac: Kind.mac(number)))
        }
        func send(_ index: Int) throws {
            clients[index].asked = .now
            for packet in there.pass(clients[index].pending.bytes) { try wire.send(packet) }
        }
        for index in clients.indices { try send(index) }
        let end = ContinuousClock.now + .seconds(60)
        while clients.contains(where: { $0.address == nil }), ContinuousClock.now < end {
            for packet in there.due() { try wire.send(packet) }
            var arrived = back.due()
            if let answer = try wire.next(milliseconds: 10) { arrived += back.pass(answer) }
            for answer in arrived {
                guard
                    let index = clients.firstIndex(where: {
                        $0.pending.transaction == answer.transaction && $0.address == nil
                    })
                else { continue }
                let mac = clients[index].mac
                switch answer.type {
                case Kind.offer? where clients[index].pending.options[0].content == [Kind.discover]:
                    let chosen = [(UInt8(50), Kind.bytes(answer.address)), (54, Kind.bytes(answer.server))]
                    clients[index].pending = WireRequest(Kind.request, mac: mac, chosen.map { (code: $0, content: $1) })
                    try send(index)
                case Kind.acknowledge?: clients[index].address = answer.address
                case Kind.refuse?:
                    clients[index].pending = WireRequest(Kind.discover, mac: mac)
                    try send(index)
                default: break
                }
            }
            for index in clients.indices
            where clients[index].address == nil && .now - clients[index].asked > .milliseconds(800) {
                try send(index)
            }
        }
        #expect(there.lost > 20 && back.lost > 10 && there.doubled > 10 && back.delayed > 10, "the wire was not bad")
        let got = clients.compactMap(\.address)
        #expect(got.count == 60, "\(got.count) of 60 got an address: \(server.log.suffix(2000))")
        #expect(Set(got).count == got.count, "two clients hold one address")
        let kept = try server.leases()
        for client in clients {
            let text = client.mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
            #expect(kept[client.address?.description ?? "-"] == text)
        }
    }

    /// Every fifth packet is lost on the server's side, in each direction; real clients get their addresses all the same.
    ///
    /// It is exactly the fifth: dhclient gives up after a minute, in which chance alone may lose all that it sends.
    @Test(.enabled(if: ["nft", "udhcpc", "dhclient"].allSatisfy(NBDClientProgram.isThere), "needs nft and clients"))
    func realClientsOnALossyWire() throws {
        let server = try ServerProcess()
        try server.startDHCP(Self.fleet(pool: "10.77.0.100-10.77.0.120"))
        for rule in [
            "add table ip bad", "add chain ip bad in { type filter hook input priority 0; }",
            "add chain ip bad out { type filter hook output priority 0; }",
            "add rule ip bad in udp dport 67 numgen inc mod 5 == 2 counter drop",
            "add rule ip bad out udp sport 67 numgen inc mod 5 == 2 counter drop",
        ] {
            #expect(try server.run(["nft", rule]).status == 0)
        }
        for round in 0..<4 {
            // It gives an offer up after three requests without an answer, and begins anew a second later.
            let command = "udhcpc -f -q -i \(TestNetwork.interface) -s /bin/true -T 1 -t 20 -A 1"
            let got = try server.run(command.split(separator: " ").map(String.init), in: server.network.client)
            #expect(got.status == 0 && (got.output + got.errors).contains("lease of 10.77.0.1"), "\(round): \(got)")
        }
        let got = try server.run(
            [
                "dhclient", "-1", "-4", "-v", "-lf", server.files.path("leases"), "-pf", server.files.path("pid"),
                "-sf",
                "/bin/true", TestNetwork.interface,
            ],
            in: server.network.client
        )
        #expect(got.errors.contains("bound to 10.77.0.1"), "\(got.errors)")
        _ = try server.run(["dhclient", "-x", "-pf", server.files.path("pid")], in: server.network.client)
    }

    /// One address, two clients: the second waits until the first gives it back, and the log says who has it.
    @Test func oneAddressForTwo() throws {
        let server = try ServerProcess()
        try server.startDHCP(Self.fleet(pool: "10.77.0.100-10.77.0.100"))
        let wire = try DHCPWire(server)
        let first = try wire.lease(Kind.mac(1), [(12, Array("first".utf8))])
        #expect(first.address == IPv4Address(10, 77, 0, 100))
        func second() throws -> WireAnswer? {
            try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(2)), milliseconds: 500)
        }
        #expect(try second() == nil)
        try server.wait("\(server.log)") {
            server.log.contains("free first: 10.77.0.100 by first (52:54:00:aa:00:01) for another 59 min")
        }
        // Asking for it by name does not help, nor does giving back or refusing what another has.
        var theft = WireRequest(Kind.request, mac: Kind.mac(2), [(50, [10, 77, 0, 100])])
        #expect(try wire.ask(theft)?.type == Kind.refuse)
        theft = WireRequest(Kind.release, mac: Kind.mac(2), [(54, [10, 77, 0, 1])])
        theft.client = first.address
        try wire.send(theft.bytes)
        try wire.send(
            WireRequest(Kind.decline, mac: Kind.mac(2), [(50, [10, 77, 0, 100]), (54, [10, 77, 0, 1])]).bytes
        )
        #expect(try second() == nil)
        // The first one goes on as if nothing were.
        #expect(try wire.lease(Kind.mac(1)).address == first.address)
        var release = WireRequest(Kind.release, mac: Kind.mac(1), [(54, [10, 77, 0, 1])])
        release.client = first.address
        try wire.send(release.bytes)
        try server.wait("\(server.log)") { server.log.contains("released 10.77.0.100") }
        #expect(try wire.lease(Kind.mac(2)).address == first.address)
    }

    /// A client that finds every address in use: it empties the pool, but nobody who has an address loses it.
    @Test func aClientThatDeclinesEverything() throws {
        let server = try ServerProcess()
        try server.startDHCP(
            Self.fleet(
                pool: "10.77.0.100-10.77.0.107",
                nodes: "nodes: [{name: seat, mac: \"52:54:00:aa:00:02\", address: 10.77.0.40}]\n"
            )
        )
        let wire = try DHCPWire(server)
        let settled = try wire.lease(Kind.mac(1)).address
        var declined: Set<IPv4Address> = []
        for _ in 0..<20 {
            guard
                let offer = try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(9)), milliseconds: 700)
            else { break }
            let chosen = [(UInt8(50), Kind.bytes(offer.address)), (54, Kind.bytes(offer.server))]
            let options = chosen.map { (code: $0, content: $1) }
            #expect(try wire.ask(WireRequest(Kind.request, mac: Kind.mac(9), options))?.type == Kind.acknowledge)
            #expect(declined.insert(offer.address).inserted, "\(offer.address) came back at once")
            try wire.send(WireRequest(Kind.decline, mac: Kind.mac(9), options).bytes)
        }
        #expect(declined.count == 7 && !declined.contains(settled))
        #expect(server.log.contains("52:54:00:aa:00:09 (operating system) found 10.77.0.10"))
        #expect(server.log.contains("by nobody, because it was found in use"))
        #expect(try wire.lease(Kind.mac(1)).address == settled)
        #expect(try wire.lease(Kind.mac(2)).address == IPv4Address(10, 77, 0, 40))
    }

    /// Options in every legal and illegal shape; a client beside them is answered at once.
    @Test func oddOptions() throws {
        let server = try ServerProcess()
        try server.startDHCP(Self.fleet(pool: "10.77.0.100-10.77.0.150"))
        let wire = try DHCPWire(server)
        func isWell(_ number: Int, _ where: String) throws {
            #expect(try wire.lease(Kind.mac(number)).type == Kind.acknowledge, "\(`where`)")
        }
        // Parted (RFC 3396): the identifier comes back whole.
        let parted = try wire.lease(
            Kind.mac(1),
            [(61, [0, 1, 2]), (61, [3, 4]), (12, Array("par".utf8)), (12, Array("ted".utf8))]
        )
        #expect(parted.options[61] == [0, 1, 2, 3, 4])
        #expect(try server.diskless("leases").output.contains("\tparted\t"))
        // Overloaded (52): the address asked for stands in sname, the type in file.
        var overloaded = WireRequest(nil, mac: Kind.mac(2), [(52, [3])])
        overloaded.file = [53, 1, Kind.discover, 255]
        overloaded.serverName = [50, 4, 10, 77, 0, 133, 255]
        let offer = try #require(try wire.ask(overloaded))
        #expect(offer.type == Kind.offer && offer.address == IPv4Address(10, 77, 0, 133))
        // Repeated: the first one counts.
        let repeated = WireRequest(
            Kind.discover,
            mac: Kind.mac(3),
            [(50, [10, 77, 0, 141]), (50, [10, 77, 0, 142]), (53, [Kind.release])]
        )
        _ = try wire.ask(repeated, milliseconds: 400)
        try isWell(3, "after repeated options")
        // Cut at every length, and with lengths that lead outside.
        let whole = WireRequest(
            Kind.discover,
            mac: Kind.mac(4),
            [(55, [1, 3, 6]), (60, Array("PXEClient".utf8)), (93, [0, 0])]
        )
        for count in stride(from: 0, to: whole.bytes.count, by: 1) { try wire.send(Array(whole.bytes[..<count])) }
        try isWell(5, "after cut messages")
        for code in UInt8(1)...254 {
            try wire.send(WireRequest(Kind.discover, mac: Kind.mac(6), [(code, []), (0, [code, 255, 1])]).bytes)
            try wire.send(WireRequest(code, mac: Kind.mac(6), [(82, [1, 200]), (43, [1, 2]), (77, [9])]).bytes)
        }
        try isWell(7, "after broken options")
        // Overloaded onto itself, and hardware addresses of other lengths.
        var looped = WireRequest(Kind.discover, mac: Kind.mac(8), [(52, [3])])
        looped.file = [52, 1, 3] + [UInt8](repeating: 52, count: 125)
        looped.serverName = [UInt8](repeating: 1, count: 64)
        try wire.send(looped.bytes)
        for length: UInt8 in [0, 1, 7, 16, 17, 255] {
            var bytes = whole.bytes
            bytes[2] = length
            try wire.send(bytes)
        }
        try wire.send([UInt8](repeating: 255, count: 1472))
        try isWell(9, "after odd headers")
        #expect(server.isAlive)
    }

    /// Servers that nobody asked for are named with their address.
    @Test(.enabled(if: NBDClientProgram.isThere("dnsmasq"), "needs dnsmasq"))
    func aRogueServerIsNamed() throws {
        let server = try ServerProcess()
        try server.startDHCP(Self.fleet(pool: "10.77.0.100-10.77.0.150"))
        let rogue = try Station(1, on: server, address: "10.77.0.66/24")
        let dnsmasq = try rogue.start(
            ":",
            [
                "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--user=root", "--pid-file=", "--log-facility=-",
                "--dhcp-leasefile=\(server.files.path("rogue-leases"))",
                "--interface=\(rogue.interface)", "--dhcp-range=10.77.0.200,10.77.0.210,1h", "--no-ping",
            ],
            log: "rogue-log"
        )
        defer { dnsmasq.kill() }
        try server.wait("the rogue does not start") {
            NBDClientProgram.text(server.files.path("rogue-log")).contains("DHCP, IP range")
        }
        let client = try Station(2, on: server, address: "10.77.0.5/24")
        let wire = try DHCPWire(server, in: client.name)
        try server.wait(seconds: 20, "no warning: \(server.log)") {
            try wire.send(WireRequest(Kind.discover, mac: Kind.mac(1)).bytes)
            while try wire.next(milliseconds: 200) != nil {}
            return server.log.contains("a second DHCP server, 10.77.0.66 (\(rogue.mac)), gives out addresses on")
        }
        // Who takes the rogue's offer is told of as well, once; everybody else goes on with ours.
        #expect(server.log.split(separator: "\n").filter { $0.contains("10.77.0.66") }.count == 1)
        var ours = WireRequest(Kind.request, mac: Kind.mac(1), [(50, [10, 77, 0, 110]), (54, [10, 77, 0, 1])])
        ours.isBroadcast = true
        let answer = try wire.ask(ours)
        #expect(answer?.server == ServerProcess.address, "\(String(describing: answer)) \(server.log)")
    }
}
