import BootModel
import BootModelConformance
import Registry
import Testing

@Suite("A registry of 10,000 nodes", .serialized)
struct LargeFleetTests {
    @Test("is set, changed, looked up and reopened in reasonable time", .timeLimit(.minutes(5)))
    func largeFleet() throws {
        let directory = try TemporaryDirectory()
        let clock = ContinuousClock()
        let wanted = try Sample.fleet(nodes: 10_000)
        var registry = try Registry(stateDirectory: directory.path)
        let set = try clock.measure { try registry.update { $0 = wanted } }
        let change = try clock.measure {
            try registry.update { fleet in
                var node = Sample.node(77)
                node.settings.kernelArguments = ["quiet"]
                fleet.set(node)
            }
        }
        var durations: [Duration] = []
        for number in 0..<10_000 {
            var found: EffectiveSettings?
            durations.append(
                clock.measure {
                    let fleet = registry.fleet()
                    let (node, _) = fleet.identify(mac: Sample.mac(2 * number + 1))
                    found = fleet.effectiveSettings(for: node)
                }
            )
            #expect(found?.writes.value == .cow)
        }
        durations.sort()
        registry = try Registry(stateDirectory: directory.path + "/")
        let reopen = try clock.measure { registry = try Registry(stateDirectory: directory.path) }
        #expect(registry.fleet().nodes.count == 10_000)
        print(
            "10,000 nodes: set in \(set), one changed in \(change), look-up median \(durations[5000])"
                + " p99 \(durations[9900]), opened in \(reopen)"
        )
        #expect(durations[5000] < .milliseconds(1))
    }

    @Test("gathers leases into commits")
    func leaseCommits() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        let clock = ContinuousClock()
        let single = try clock.measure {
            for number in 0..<50 { try registry.commit([.set(Sample.lease(number))]) }
        }
        let batch = try clock.measure { try registry.commit((0..<1000).map { .set(Sample.lease($0)) }) }
        print("leases: one commit \(single / 50), 1000 in one commit \(batch)")
        #expect(try registry.leases().count == 1000)
    }
}
