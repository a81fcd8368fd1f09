import BootModelConformance
import NetworkTypes
import Testing

@testable import BootModel
@testable import Registry

/// A change of a few entries is checked, compared and written by these alone: with the same outcome as the whole.
@Suite("Changes of a kept fleet")
struct IncrementalTests {
    @Test("are checked and written as the whole fleet would be", arguments: 1...12)
    func sameAsWhole(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        var generated = GeneratedFleet(seed: seed)
        let first = generated.fleet()
        try registry.update { $0 = first }
        var generator = Numbers(state: seed)
        var (kept, refused) = (0, 0)
        for _ in 0..<60 {
            let other = generated.fleet()
            var wanted = registry.fleet()
            #expect(wanted.names(touchedSince: registry.fleet()) != nil)
            for _ in 0..<Int.random(in: 1...4, using: &generator) { Self.step(&wanted, other, &generator) }
            let whole = Self.copy(wanted)
            #expect(whole == wanted)
            #expect(whole.problems.isEmpty == wanted.problems.isEmpty)
            #expect((wanted == registry.fleet()) == (whole == Self.copy(registry.fleet())))
            if wanted.contested.isEmpty {
                #expect(Set(wanted.problems).isSubset(of: Set(whole.problems)))
            } else {
                #expect(Set(wanted.problems) == Set(whole.problems))
            }
            do {
                try registry.update { [wanted] in $0 = wanted }
                kept += 1
                #expect(registry.fleet() == whole)
            } catch is FleetProblems {
                refused += 1
                #expect(!whole.problems.isEmpty)
            }
        }
        #expect(kept > 5 && refused > 0, "\(kept) kept, \(refused) refused")
        registry.close()
        let again = try Registry(path: directory.path + "/registry.sqlite")
        #expect(again.fleet() == Self.copy(registry.fleet()))
    }

    @Test("let a node have what another one leaves later")
    func leaving() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        try registry.update { $0.set(Sample.node(1, alone: true)) }
        var taker = Sample.node(1, alone: true)
        taker.name = NodeName(checked: "taker")
        try registry.update { fleet in
            fleet.set(taker)
            fleet.remove(Sample.node(1).name)
        }
        #expect(registry.fleet().node(mac: taker.macs[0])?.name == taker.name)
        #expect(registry.fleet().node(uuid: try #require(taker.uuid))?.name == taker.name)
        #expect(throws: FleetProblems.self) {
            try registry.update { $0.set(Sample.node(1, alone: true)) }
        }
        #expect(throws: FleetProblems.self) {
            try registry.update {
                $0.set(Node(name: NodeName(checked: "twice"), macs: [Sample.mac(99), Sample.mac(99)]))
            }
        }
        #expect(registry.fleet().nodes.count == 1)
    }

    /// One change at random towards another fleet, sound or not.
    private static func step(_ fleet: inout Fleet, _ other: Fleet, _ generator: inout Numbers) {
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: if let entry = other.networks.values.randomElement(using: &generator) { fleet.set(entry) }
        case 1: if let entry = other.profiles.values.randomElement(using: &generator) { fleet.set(entry) }
        case 2: if let entry = other.users.values.randomElement(using: &generator) { fleet.set(entry) }
        case 3: if let entry = other.tags.values.randomElement(using: &generator) { fleet.set(entry) }
        case 4: if let name = fleet.profiles.keys.randomElement(using: &generator) { fleet.remove(name) }
        case 5: if let name = fleet.users.keys.randomElement(using: &generator) { fleet.remove(name) }
        case 6: if let name = fleet.nodes.keys.randomElement(using: &generator) { fleet.remove(name) }
        case 7:
            // Another's hardware address.
            guard var node = fleet.nodes.values.randomElement(using: &generator) else { return }
            node.name = NodeName(checked: "m\(Int.random(in: 0..<4, using: &generator))")
            fleet.set(node)
        default: if let entry = other.nodes.values.randomElement(using: &generator) { fleet.set(entry) }
        }
    }

    /// The same entries as a fleet that was made from no other.
    private static func copy(_ fleet: Fleet) -> Fleet {
        Fleet(
            networks: Array(fleet.networks.values),
            profiles: Array(fleet.profiles.values),
            nodes: Array(fleet.nodes.values),
            users: Array(fleet.users.values),
            tags: Array(fleet.tags.values)
        )
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}

extension Sample {
    /// A sample node that names no profile.
    fileprivate static func node(_ number: Int, alone: Bool) -> Node {
        var node = node(number)
        node.profiles = []
        return node
    }
}
