import BootModel
import DHCPServer
import NetworkTypes
import Testing

@Suite struct LeaseTableTests {
    private let now = Timestamp(seconds: 1_700_000_000)
    private let a = MACAddress(value: 0x5254_0000_0001)
    private let b = MACAddress(value: 0x5254_0000_0002)

    private func rules(_ pools: [String], reservation: IPv4Address? = nil) throws -> LeaseTable.Rules {
        LeaseTable.Rules(
            network: Network(
                name: try NetworkName(validating: "lab"),
                subnet: try Server.value("10.0.0.0/24"),
                pools: try pools.map { try Server.value($0) }
            ),
            reservation: reservation
        )
    }

    private func grant(
        _ table: inout LeaseTable,
        _ address: IPv4Address,
        _ mac: MACAddress,
        _ rules: LeaseTable.Rules,
        at now: Timestamp
    )
        -> [LeaseChange]
    {
        table.grant(address, to: mac, on: rules.network.name, seconds: 60, hostname: nil, now: now)
    }

    @Test func everyAddressOfAllPoolsIsGivenOnce() throws {
        let rules = try rules(["10.0.0.0-10.0.0.9", "10.0.0.100-10.0.0.109", "10.0.0.250-10.0.0.255"])
        var table = LeaseTable()
        var given: Set<IPv4Address> = []
        // Neither the network's address nor its broadcast address is a machine's.
        for number in 0..<24 {
            let mac = MACAddress(value: 0x5254_0001_0000 + UInt64(number))
            let choice = table.choose(for: mac, asking: nil, rules, now: now)
            let address = try #require(choice)
            #expect(given.insert(address).inserted)
            _ = grant(&table, address, mac, rules, at: now)
        }
        #expect(table.choose(for: a, asking: nil, rules, now: now) == nil)
        #expect(!given.contains(IPv4Address(10, 0, 0, 0)) && !given.contains(IPv4Address(10, 0, 0, 255)))
    }

    @Test func anOfferIsKeptForAMinute() throws {
        let rules = try rules(["10.0.0.5-10.0.0.5"])
        var table = LeaseTable()
        let choice = table.choose(for: a, asking: nil, rules, now: now)
        let address = try #require(choice)
        table.offer(address, to: a, on: rules.network.name, now: now)
        #expect(table.choose(for: a, asking: nil, rules, now: now) == address)
        #expect(table.choose(for: b, asking: nil, rules, now: now) == nil)
        #expect(table.choose(for: b, asking: nil, rules, now: now.advanced(bySeconds: 61)) == address)
    }

    @Test func theLeaseThatEndedFirstIsTakenOver() throws {
        let rules = try rules(["10.0.0.5-10.0.0.6"])
        var table = LeaseTable()
        _ = grant(&table, IPv4Address(10, 0, 0, 5), a, rules, at: now.advanced(bySeconds: 5))
        _ = grant(&table, IPv4Address(10, 0, 0, 6), b, rules, at: now)
        let third = MACAddress(value: 0x5254_0000_0003)
        #expect(table.choose(for: third, asking: nil, rules, now: now.advanced(bySeconds: 59)) == nil)
        #expect(
            table.choose(for: third, asking: nil, rules, now: now.advanced(bySeconds: 70)) == IPv4Address(10, 0, 0, 6)
        )
        let changes = grant(&table, IPv4Address(10, 0, 0, 6), third, rules, at: now.advanced(bySeconds: 70))
        #expect(changes.count == 1)
        #expect(table.address(of: b, on: rules.network.name) == nil)
    }

    @Test func aConnectedMachineKeepsItsAddress() throws {
        let rules = try rules(["10.0.0.5-10.0.0.5"])
        var table = LeaseTable()
        _ = grant(&table, IPv4Address(10, 0, 0, 5), a, rules, at: now)
        table.hold(a)
        table.hold(a)
        table.letGo(a)
        let later = now.advanced(bySeconds: 1000)
        #expect(table.choose(for: b, asking: nil, rules, now: later) == nil)
        table.letGo(a)
        table.letGo(a)
        #expect(table.choose(for: b, asking: nil, rules, now: later) == IPv4Address(10, 0, 0, 5))
    }

    /// A reservation made for a running machine waits for its next boot.
    @Test func aConnectedMachineIsNotMoved() throws {
        let pool = try rules(["10.0.0.5-10.0.0.9"])
        var table = LeaseTable()
        _ = grant(&table, IPv4Address(10, 0, 0, 5), a, pool, at: now)
        table.hold(a)
        let changed = try rules([], reservation: IPv4Address(10, 0, 0, 71))
        #expect(table.allows(IPv4Address(10, 0, 0, 5), for: a, changed, now: now.advanced(bySeconds: 30)))
        #expect(!table.allows(IPv4Address(10, 0, 0, 6), for: a, changed, now: now))
        table.letGo(a)
        #expect(!table.allows(IPv4Address(10, 0, 0, 5), for: a, changed, now: now))
    }

    @Test func restoringKeepsTheNewerOfTwo() throws {
        let name = try NetworkName(validating: "lab")
        let rules = try rules(["10.0.0.5-10.0.0.9"])
        let leases = [5, 6].map { number in
            Lease(
                address: IPv4Address(10, 0, 0, UInt8(number)),
                mac: a,
                network: name,
                granted: now.advanced(bySeconds: Double(number)),
                expires: now.advanced(bySeconds: 100)
            )
        }
        var table = LeaseTable(restoring: leases.reversed())
        #expect(table.choose(for: a, asking: nil, rules, now: now) == IPv4Address(10, 0, 0, 6))
    }

    @Test func movingToAReservationFreesTheOldAddress() throws {
        let pool = try rules(["10.0.0.5-10.0.0.9"])
        var table = LeaseTable()
        _ = grant(&table, IPv4Address(10, 0, 0, 5), a, pool, at: now)
        let reserved = try rules(["10.0.0.5-10.0.0.9"], reservation: IPv4Address(10, 0, 0, 71))
        #expect(!table.allows(IPv4Address(10, 0, 0, 5), for: a, reserved, now: now))
        #expect(table.allows(IPv4Address(10, 0, 0, 71), for: a, reserved, now: now))
        let changes = grant(&table, IPv4Address(10, 0, 0, 71), a, reserved, at: now)
        #expect(changes.first == .remove(IPv4Address(10, 0, 0, 5)))
        #expect(changes.count == 2)
    }

    /// Clients that come and go at random never share an address.
    @Test func twoMachinesNeverShareAnAddress() throws {
        let rules = try rules(["10.0.0.10-10.0.0.29"])
        var table = LeaseTable()
        var state: UInt64 = 7
        var holders: [MACAddress: (address: IPv4Address, until: Timestamp)] = [:]
        for step in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let mac = MACAddress(value: 0x5254_0002_0000 + (state >> 33) % 40)
            let now = now.advanced(bySeconds: Double(step))
            switch (state >> 50) % 8 {
            case 0:
                if let held = holders.removeValue(forKey: mac) { _ = table.release(held.address, by: mac, now: now) }
            default:
                guard let address = table.choose(for: mac, asking: nil, rules, now: now) else { continue }
                _ = grant(&table, address, mac, rules, at: now)
                for (other, held) in holders where other != mac && held.until > now { #expect(held.address != address) }
                holders[mac] = (address, now.advanced(bySeconds: 60))
            }
        }
    }
}
