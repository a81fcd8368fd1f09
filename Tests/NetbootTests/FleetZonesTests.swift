import BootModel
import DNS
import Netboot
import NetworkTypes
import Testing

private func name(_ text: String) -> DNSName { DNSName(text) ?? .root }
private func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }
private func mac(_ last: UInt64) -> MACAddress { MACAddress(value: 0x5254_0000_0000 + last) }

@Suite("The fleet as DNS zones")
struct FleetZonesTests {
    private static let key = HostKeyFingerprint(algorithm: 4, digestType: 2, digest: Array(1...32))

    private func fleet() throws -> Fleet {
        let lab = Network(
            name: try NetworkName(validating: "lab"),
            subnet: try #require(IPv4Subnet("10.0.0.0/24")),
            dhcp: .full,
            domain: "lab.example"
        )
        let halls = Network(
            name: try NetworkName(validating: "halls"),
            subnet: try #require(IPv4Subnet("10.9.0.0/23")),
            dhcp: .full,
            domain: "Halls.example"
        )
        let mute = Network(name: try NetworkName(validating: "mute"), subnet: try #require(IPv4Subnet("10.5.0.0/24")))
        return Fleet(
            networks: [lab, halls, mute],
            nodes: [
                Node(name: try NodeName(validating: "Megane"), macs: [mac(1)], address: IPv4Address(10, 0, 0, 71)),
                Node(name: try NodeName(validating: "a.rack1"), macs: [mac(2)], address: IPv4Address(10, 0, 0, 72)),
                Node(name: try NodeName(validating: "hall1"), macs: [mac(3)], address: IPv4Address(10, 9, 1, 9)),
                Node(name: try NodeName(validating: "roams"), macs: [mac(4)]),
                Node(
                    name: try NodeName(validating: "full.lab.example"),
                    macs: [mac(5)],
                    address: IPv4Address(10, 0, 0, 75)
                ),
            ]
        )
    }

    private func zones() throws -> FleetZones {
        let fleet = try fleet()
        return FleetZones(
            fleet: fleet,
            hostKeys: { $0.text == "Megane" ? [Self.key] : [] },
            serial: 5,
            serverName: "boss",
            serverAddresses: [try NetworkName(validating: "lab"): IPv4Address(10, 0, 0, 1)]
        )
    }

    private func lease(_ address: IPv4Address, _ machine: UInt64, told: String? = nil, at now: Int64 = 0) throws
        -> Lease
    {
        Lease(
            address: address,
            mac: mac(machine),
            network: try NetworkName(validating: "lab"),
            granted: time(now),
            expires: time(now + 3600),
            hostname: told
        )
    }

    private func addresses(_ zones: FleetZones, _ text: String, at now: Int64 = 1) -> [String]? {
        zones.answer(to: DNSQuestion(name(text), .a), now: time(now)).map { answer in
            answer.answers.compactMap {
                guard case .address(let address) = $0.data else { return nil }
                return address.description
            }
        }
    }

    @Test func reservedAddresses() throws {
        let zones = try zones()
        #expect(addresses(zones, "megane.LAB.example") == ["10.0.0.71"])
        #expect(addresses(zones, "a.rack1.lab.example") == ["10.0.0.72"])
        #expect(addresses(zones, "hall1.halls.example") == ["10.9.1.9"])
        #expect(addresses(zones, "full.lab.example") == ["10.0.0.75"])
        #expect(addresses(zones, "ns.lab.example") == ["10.0.0.1"])
        #expect(addresses(zones, "boss.lab.example") == ["10.0.0.1"])
        #expect(addresses(zones, "megane.example") == nil)
        #expect(
            zones.shortAnswer(to: DNSQuestion(name("megane"), .a), now: time(1))?.answers.first?.name == name("megane")
        )
    }

    @Test func whatThereIsNot() throws {
        let zones = try zones()
        let missing = try #require(zones.answer(to: DNSQuestion(name("no.lab.example"), .a), now: time(1)))
        #expect(missing.code == .noSuchName)
        guard case .startOfAuthority(let start)? = missing.authorities.first?.data else {
            Issue.record("no SOA")
            return
        }
        #expect(start.serial == 5 && start.server == name("ns.lab.example") && start.negativeTTL == 10)
        // Of another type, a branch, and a node without an address now: the name is there, the record is not.
        for (text, type) in [
            ("megane.lab.example", RecordType.aaaa), ("rack1.lab.example", .a), ("roams.lab.example", .a),
        ] {
            let answer = zones.answer(to: DNSQuestion(name(text), type), now: time(1))
            #expect(answer?.code == .noError && answer?.answers == [] && answer?.authorities.count == 1, "\(text)")
        }
    }

    @Test func apexAndKeys() throws {
        let zones = try zones()
        let apex = name("lab.example")
        #expect(zones.answer(to: DNSQuestion(apex, .soa), now: time(1))?.answers.count == 1)
        #expect(
            zones.answer(to: DNSQuestion(apex, .ns), now: time(1))?.answers.first?.data
                == .nameServer(name("ns.lab.example"))
        )
        let megane = name("megane.lab.example")
        #expect(
            zones.answer(to: DNSQuestion(megane, .sshfp), now: time(1))?.answers.map(\.data) == [.hostKey(Self.key)]
        )
        #expect(zones.answer(to: DNSQuestion(megane, .any), now: time(1))?.answers.count == 2)
    }

    @Test func reverse() throws {
        let zones = try zones()
        func pointer(_ address: IPv4Address) -> AuthoritativeAnswer? {
            zones.answer(to: DNSQuestion(DNSName(reverseOf: address), .ptr), now: time(1))
        }
        #expect(pointer(IPv4Address(10, 0, 0, 71))?.answers.map(\.data) == [.pointer(name("megane.lab.example"))])
        #expect(pointer(IPv4Address(10, 9, 1, 9))?.answers.map(\.data) == [.pointer(name("hall1.halls.example"))])
        #expect(pointer(IPv4Address(10, 0, 0, 70))?.code == .noSuchName)
        #expect(pointer(IPv4Address(10, 0, 0, 70))?.authorities.first?.name == name("0.0.10.in-addr.arpa"))
        #expect(pointer(IPv4Address(10, 9, 1, 8))?.authorities.first?.name == name("1.9.10.in-addr.arpa"))
        // Not ours: another subnet, one without a domain, and what is above our zones.
        #expect(pointer(IPv4Address(10, 9, 2, 1)) == nil)
        #expect(pointer(IPv4Address(10, 5, 0, 1)) == nil)
        #expect(zones.answer(to: DNSQuestion(name("9.10.in-addr.arpa"), .soa), now: time(1)) == nil)
        #expect(zones.answer(to: DNSQuestion(name("0.0.10.in-addr.arpa"), .soa), now: time(1))?.answers.count == 1)
    }

    @Test func leases() throws {
        var zones = try zones()
        let address = IPv4Address(10, 0, 0, 130)
        zones.set(try lease(address, 4))
        #expect(addresses(zones, "roams.lab.example") == ["10.0.0.130"])
        #expect(addresses(zones, "roams.lab.example", at: 3600) == [])
        #expect(zones.answer(to: DNSQuestion(DNSName(reverseOf: address), .ptr), now: time(1))?.answers.count == 1)
        zones.removeLease(of: address)
        #expect(addresses(zones, "roams.lab.example") == [])
        // A node's lease beside its reservation.
        zones.set(try lease(address, 1))
        #expect(addresses(zones, "megane.lab.example") == ["10.0.0.71", "10.0.0.130"])
    }

    @Test func machinesWithoutAName() throws {
        var zones = try zones()
        let first = IPv4Address(10, 0, 0, 140)
        zones.set(try lease(first, 0x77, told: "Laptop.home"))
        #expect(addresses(zones, "laptop.lab.example") == ["10.0.0.140"])
        #expect(addresses(zones, "node-525400000077.lab.example") == ["10.0.0.140"])
        // Nobody takes the name of another machine, of a node, of the server, or one that others trust.
        for (index, told) in ["laptop", "megane", "boss", "ns", "wpad", "roams", "node-525400000099", "x_y"]
            .enumerated()
        {
            let address = IPv4Address(10, 0, 0, UInt8(150 + index))
            zones.set(try lease(address, UInt64(0x80 + index), told: told))
            #expect(addresses(zones, "\(told).lab.example")?.contains(address.description) == false, "\(told)")
        }
        // Its name is free once its lease is over, and its own again when it comes back.
        zones.set(try lease(IPv4Address(10, 0, 0, 141), 0x78, told: "laptop", at: 4000))
        #expect(addresses(zones, "laptop.lab.example", at: 4001) == ["10.0.0.141"])
    }
}
