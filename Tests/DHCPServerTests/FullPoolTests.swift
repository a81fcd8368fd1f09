import BootModel
import DHCPServer
import NetworkTypes
import Testing

/// Pools that are full: each message of a stranger would take milliseconds if it led through all of the pool.
@Suite(.timeLimit(.minutes(5))) struct FullPoolTests {
    private static let size = 20_000
    private let now = Timestamp(seconds: 1_700_000_000)
    private let rules: LeaseTable.Rules

    init() throws {
        rules = LeaseTable.Rules(
            network: Network(
                name: try NetworkName(validating: "lab"),
                subnet: try Server.value("10.0.0.0/16"),
                pools: [try Server.value("10.0.1.0-10.0.79.31")]
            )
        )
        #expect(rules.network.pools.first?.count == Self.size)
    }

    private func stranger(_ number: Int) -> MACAddress { MACAddress(value: 0x5254_0099_0000 + UInt64(number)) }

    /// Each address leased for `seconds` of its own.
    private func fullTable(_ seconds: (Int) -> Double) -> LeaseTable {
        LeaseTable(
            restoring: (0..<Self.size).map { number in
                Lease(
                    address: IPv4Address(value: 0x0a00_0100 + UInt32(number)),
                    mac: MACAddress(value: 0x5254_0000_0000 + UInt64(number)),
                    network: rules.network.name,
                    granted: now,
                    expires: now.advanced(bySeconds: seconds(number))
                )
            }
        )
    }

    @Test func strangersAreRefusedWithoutAWalk() {
        var table = fullTable { _ in 3600 }
        for number in 0..<30_000 {
            let choice = table.choose(for: stranger(number), asking: nil, rules, now: now)
            #expect(choice == nil)
        }
        // A machine of the pool has its address all the same, and one that is given back is found at once.
        let known = MACAddress(value: 0x5254_0000_0007)
        let address = IPv4Address(10, 0, 1, 7)
        #expect(table.choose(for: known, asking: nil, rules, now: now) == address)
        #expect(table.release(address, by: known, now: now).count == 1)
        #expect(table.choose(for: stranger(1), asking: nil, rules, now: now) == address)
    }

    @Test func endedLeasesAreTakenOverInTheirOrder() throws {
        // 7919 and the size have no common factor, so every lease has a moment of its own.
        var table = fullTable { Double(($0 * 7919) % Self.size) / 100 }
        let later = now.advanced(bySeconds: 1000)
        var last = 0.0
        for number in 0..<5_000 {
            let mac = stranger(number)
            let choice = table.choose(for: mac, asking: nil, rules, now: later)
            let address = try #require(choice)
            let ended = try #require(table.lease(of: address)?.expires.seconds(since: now))
            #expect(ended >= last)
            last = ended
            table.offer(address, to: mac, on: rules.network.name, now: later)
        }
        #expect(last == 49.99)
    }

    @Test func aVainWalkIsForgottenAfterASecond() {
        var table = fullTable { $0 == 9 ? 10 : 3600 }
        #expect(table.choose(for: stranger(1), asking: nil, rules, now: now.advanced(bySeconds: 9.5)) == nil)
        let address = table.choose(for: stranger(1), asking: nil, rules, now: now.advanced(bySeconds: 10.6))
        #expect(address == IPv4Address(10, 0, 1, 9))
    }
}
