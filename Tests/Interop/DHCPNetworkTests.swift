import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// What networks are beyond one subnet with one pool, on the wire.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct DHCPNetworkTests {
    private typealias Kind = WireRequest

    /// A network's head; further keys follow with four spaces before them.
    private static func network(_ name: String, _ subnet: String, _ pool: String, interface: Bool = true) -> String {
        "  - name: \(name)\n    subnet: \(subnet)\n    dhcp: full\n    pools: [\(pool)]\n"
            + (interface ? "    interface: \(TestNetwork.interface)\n" : "")
    }

    @Test func sharedNetworksAndReservations() throws {
        let server = try ServerProcess()
        try server.startDHCP(
            "networks:\n" + Self.network("a", "10.77.0.0/24", "10.77.0.200-10.77.0.201") + "    lease: 10m\n"
                + Self.network("b", "10.78.0.0/24", "10.78.0.10-10.78.0.11") + "    router: 10.78.0.1\n"
                    + """
                    nodes:
                      - {name: by-mac, mac: "52:54:00:aa:00:01", address: 10.78.0.31}
                      - {name: by-client, client-id: kitchen, address: 10.77.0.32}
                      - {name: by-uuid, uuid: 33221100-5544-7766-8899-aabbccddeeff, address: 10.77.0.33}

                    """
        )
        let wire = try DHCPWire(server)
        let named = try wire.lease(Kind.mac(1))
        #expect(named.type == Kind.acknowledge && named.address == IPv4Address(10, 78, 0, 31))
        #expect(named.options[3] == [10, 78, 0, 1] && named.options[12] == Array("by-mac".utf8))
        let client = try wire.lease(Kind.mac(2), [(61, [0] + Array("kitchen".utf8))])
        // Written as text, an identifier has no type byte.
        let bare = try wire.lease(Kind.mac(3), [(61, Array("kitchen".utf8))])
        #expect([client.address, bare.address].contains(IPv4Address(10, 77, 0, 32)))
        #expect(bare.options[61] == Array("kitchen".utf8))
        // The first three fields of a machine's UUID are little-endian on the wire.
        let uuid: [UInt8] = [
            0, 0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        ]
        let raw = try wire.lease(Kind.mac(4), [(97, uuid)])
        let swapped: [UInt8] = [0, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77] + uuid[9...]
        let other = try wire.lease(Kind.mac(5), [(97, swapped)])
        #expect([raw.address, other.address].contains(IPv4Address(10, 77, 0, 33)))
        #expect(other.options[97] == swapped)

        // Strangers fill the first subnet, then the second; then nobody is answered, and the log says who holds what.
        let strangers = try (20..<22).map { try wire.lease(Kind.mac($0)).address }
        #expect(Set(strangers + [bare.address, client.address, raw.address, other.address]).count >= 4)
        for number in 30..<34
        where try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(number)), milliseconds: 500) == nil {
            break
        }
        #expect(try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(40)), milliseconds: 500) == nil)
        try server.wait("\(server.log)") { server.log.contains("are exhausted; free first: 10.7") }
    }

    /// Through a relay agent: addressing, what is echoed, reservations by port, and questions of the relay's own.
    @Test func relaysAndLeaseQueries() throws {
        let server = try ServerProcess()
        try server.startDHCP(
            "networks:\n" + Self.network("near", "10.77.0.0/24", "10.77.0.100-10.77.0.120")
                + Self.network("far", "10.90.0.0/24", "10.90.0.10-10.90.0.20", interface: false)
                + "    relays: [10.77.0.2]\n    lease: 10m\n"
                + Self.network("beyond", "10.91.0.0/24", "10.91.0.10-10.91.0.20", interface: false)
                    + """
                    nodes:
                      - {name: port-seven, relay-port: {circuit: port7}, address: 10.90.0.77}

                    """
        )
        let relay = try DHCPWire(server, port: 67)
        let us = Endpoint(ServerProcess.address, 67)
        let here = IPv4Address(10, 77, 0, 2)
        func lease(_ mac: [UInt8], _ options: [(code: UInt8, content: [UInt8])]) throws -> WireAnswer? {
            var discover = WireRequest(Kind.discover, mac: mac, options)
            discover.relay = here
            guard let offer = try relay.ask(discover, to: us, milliseconds: 1000) else { return nil }
            var request = WireRequest(
                Kind.request,
                mac: mac,
                [(50, Kind.bytes(offer.address)), (54, Kind.bytes(offer.server))] + options
            )
            request.relay = here
            return try relay.ask(request, to: us)
        }
        let circuit: [UInt8] = [1, 5] + Array("port3".utf8) + [2, 2, 9, 9]
        let far = try #require(try lease(Kind.mac(1), [(82, circuit)]))
        #expect(far.type == Kind.acknowledge && IPv4Subnet("10.90.0.0/24")?.contains(far.address) == true)
        #expect(far.options[82] == circuit && far.order.last == 82)
        let port = try #require(try lease(Kind.mac(2), [(82, [1, 5] + Array("port7".utf8))]))
        #expect(port.address == IPv4Address(10, 90, 0, 77))
        // Link selection (RFC 3527) and a relay that stands for the server (RFC 5107).
        let beyond = try #require(try lease(Kind.mac(3), [(82, [5, 4, 10, 91, 0, 0, 11, 4, 10, 77, 0, 2])]))
        #expect(IPv4Subnet("10.91.0.0/24")?.contains(beyond.address) == true)
        #expect(beyond.server == here)
        // A renewal comes straight to the server, or by the relay that stands for it.
        var renewal = WireRequest(Kind.request, mac: Kind.mac(3), [(82, [5, 4, 10, 91, 0, 0, 11, 4, 10, 77, 0, 2])])
        (renewal.relay, renewal.client) = (here, beyond.address)
        #expect(try relay.ask(renewal, to: us)?.type == Kind.acknowledge)
        // A relay that is none of ours.
        var foreign = WireRequest(Kind.discover, mac: Kind.mac(4))
        foreign.relay = IPv4Address(172, 30, 0, 1)
        try relay.send(foreign.bytes, to: us)

        // RFC 4388: 10 asks, 11 unassigned, 12 unknown, 13 active.
        func query(_ change: (inout WireRequest) -> Void) throws -> WireAnswer? {
            var request = WireRequest(10, mac: [0, 0, 0, 0, 0, 0], [(55, [51, 91, 92, 1])])
            request.relay = here
            change(&request)
            return try relay.ask(request, to: us)
        }
        let byAddress = try #require(try query { $0.client = far.address })
        #expect(byAddress.type == 13 && byAddress.client == far.address && byAddress.mac == Kind.mac(1))
        #expect((1...600).contains(byAddress.number(51) ?? 0) && (byAddress.number(91) ?? 99) < 60)
        let byMAC = try #require(try query { $0.mac = Kind.mac(2) })
        #expect(byMAC.type == 13 && byMAC.client == port.address)
        let byClient = try #require(try query { $0.options.append((61, [1] + Kind.mac(2))) })
        #expect(byClient.type == 13 && byClient.client == port.address)
        #expect(try query { $0.client = IPv4Address(10, 90, 0, 19) }?.type == 11)
        #expect(try query { $0.mac = Kind.mac(99) }?.type == 12)
        #expect(try query { $0.client = IPv4Address(10, 200, 0, 1) }?.type == 12)
    }

    /// BOOTP, INFORM, NAK, and what networks and match rules do with strangers.
    @Test func answersByKind() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        func fleet(_ keys: String) -> String {
            "networks:\n" + Self.network("lab", "10.77.0.0/24", "10.77.0.100-10.77.0.150") + "    router: 10.77.0.1\n"
                + "    ntp: [10.77.0.1]\n" + keys
                + "nodes:\n  - {name: known, mac: \"52:54:00:aa:00:01\", image: debian}\n"
                + "  - {name: old, mac: \"52:54:00:aa:00:02\", address: 10.77.0.40, image: debian}\n"
        }
        try server.startDHCP(
            fleet(
                """
                    options:
                      - {code: 200, hex: "\(String(repeating: "07", count: 300))"}
                      - {code: 202, hex: "\(String(repeating: "08", count: 200))"}
                      - {code: 203, hex: "\(String(repeating: "09", count: 60))"}
                    match:
                      - {vendor-class: "phone*", answer: ignore}
                      - {user-class: kiosk, options: [{code: mtu, u16: 9000}]}

                """
            )
        )
        let wire = try DHCPWire(server)
        // BOOTP: a reserved address and nothing of leases; strangers get nothing unless the network says so.
        let old = try #require(try wire.ask(WireRequest(nil, mac: Kind.mac(2))))
        #expect(old.address == IPv4Address(10, 77, 0, 40) && old.type == nil && old.options[51] == nil)
        #expect(old.options[3] == [10, 77, 0, 1] && old.count == 300)
        #expect(try wire.ask(WireRequest(nil, mac: Kind.mac(3)), milliseconds: 400) == nil)
        // INFORM: everything but an address and its times.
        var inform = WireRequest(Kind.inform, mac: Kind.mac(4), [(55, [1, 3, 42])])
        inform.client = IPv4Address(10, 77, 0, 2)
        inform.isBroadcast = false
        let told = try #require(try wire.ask(inform))
        #expect(told.type == Kind.acknowledge && told.address == .any && told.options[51] == nil)
        #expect(told.options[42] == [10, 77, 0, 1])
        // NAK: an address of elsewhere, and one that another machine has.
        let mine = try wire.lease(Kind.mac(1))
        #expect(mine.type == Kind.acknowledge)
        for address in [IPv4Address(192, 168, 1, 5), mine.address] {
            let refused = try wire.ask(WireRequest(Kind.request, mac: Kind.mac(5), [(50, Kind.bytes(address))]))
            #expect(refused?.type == Kind.refuse && refused?.options[56]?.isEmpty == false)
        }
        // Long values are parted; what finds no room goes into an old field, and what finds none there stays out.
        for limit: UInt16 in [576, 1400] {
            let big = try wire.lease(Kind.mac(6), [(57, [UInt8(limit >> 8), UInt8(limit & 255)])])
            #expect(big.count + 28 <= Int(limit))
            #expect(big.options[200] == (limit == 576 ? nil : [UInt8](repeating: 7, count: 300)))
            #expect(big.options[202] == [UInt8](repeating: 8, count: 200))
            #expect(big.options[203] == [UInt8](repeating: 9, count: 60))
            #expect(big.options[52] == (limit == 576 ? [2] : nil) && big.order.contains(203) == (limit == 1400))
        }
        // Match rules.
        let phone = WireRequest(Kind.discover, mac: Kind.mac(7), [(60, Array("phone 7".utf8))])
        #expect(try wire.ask(phone, milliseconds: 400) == nil)
        let kiosk = try wire.lease(Kind.mac(8), [(77, [5] + Array("kiosk".utf8)), (57, [5, 120])])
        #expect(kiosk.options[26] == [0x23, 0x28])

        // Strangers: boot, address-only, ignore.
        let firmware: [(code: UInt8, content: [UInt8])] = [
            (60, Array("PXEClient:Arch:00000:UNDI:002001".utf8)), (93, [0, 0]), (97, [UInt8](repeating: 3, count: 17)),
        ]
        func offer(_ number: Int) throws -> WireAnswer? {
            try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(number), firmware), milliseconds: 1000)
        }
        #expect(try offer(1)?.options[67]?.isEmpty == false)
        try server.apply(fleet("    unknown-nodes: address-only\n"))
        let addressOnly = try #require(try offer(20))
        #expect(addressOnly.options[67] == nil && addressOnly.file.isEmpty && !addressOnly.address.isAny)
        #expect(try offer(1)?.options[67]?.isEmpty == false)
        try server.apply(fleet("    unknown-nodes: ignore\n    bootp: true\n    authoritative: false\n"))
        #expect(try offer(21) == nil)
        #expect(try offer(1)?.options[67]?.isEmpty == false)
        #expect(
            try wire.ask(
                WireRequest(Kind.request, mac: Kind.mac(1), [(50, [192, 168, 1, 5])]),
                milliseconds: 400
            ) == nil
        )
        try server.apply(fleet("    bootp: true\n"))
        let young = try #require(try wire.ask(WireRequest(nil, mac: Kind.mac(3))))
        #expect((100...150).contains(young.address.value & 255))
    }

    /// The answer waits for the wire a tenth of a second, once for each address, and never for one that is taken.
    @Test func probingKeepsToItsBudget() throws {
        let server = try ServerProcess()
        try server.startDHCP("networks:\n" + Self.network("lab", "10.77.0.0/24", "10.77.0.100-10.77.0.131"))
        // Every second address is somebody's who never asked, and who answers only when asked.
        let thief = try Station(1, on: server)
        for number in stride(from: 100, to: 131, by: 2) {
            try TestNetwork.ip("-n \(thief.name) address add 10.77.0.\(number)/24 dev \(thief.interface)")
        }
        let wire = try DHCPWire(server)
        var times: [Duration] = []
        for number in 0..<8 {
            let begin = ContinuousClock.now
            let offer = try #require(
                try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(number)), milliseconds: 2000)
            )
            times.append(ContinuousClock.now - begin)
            #expect(offer.address.value % 2 == 1, "\(offer.address) is taken")
            let request = WireRequest(
                Kind.request,
                mac: Kind.mac(number),
                [(50, Kind.bytes(offer.address)), (54, Kind.bytes(offer.server))]
            )
            #expect(try wire.ask(request)?.type == Kind.acknowledge)
        }
        times.sort()
        print("DISCOVER to OFFER with a look at the wire: median \(times[4]), longest \(times[7])")
        // The budget is 0.1 s; the rest is room for a busy computer.
        #expect(times[4] < .milliseconds(200) && times[7] < .milliseconds(1000))
        let begin = ContinuousClock.now
        _ = try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(0)))
        #expect(ContinuousClock.now - begin < .milliseconds(90), "what it has needs no look")
        #expect(server.log.contains("is in use by \(thief.mac)"))
    }
}
