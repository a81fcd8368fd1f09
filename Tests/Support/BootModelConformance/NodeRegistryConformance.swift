package import BootModel
import Dispatch
import Synchronization

/// The promises of `NodeRegistry`.
package enum NodeRegistryConformance {
    /// Each promise.
    package static let cases: [ConformanceCase<any NodeRegistry>] = [
        ConformanceCase("begins empty") { registry in
            try expect(try registry.fleet() == Fleet(), "a fresh registry has a fleet")
        },
        ConformanceCase("keeps every field") { registry in
            let wanted = try Sample.fleet(nodes: 3)
            try registry.update { $0 = wanted }
            try expect(try registry.fleet() == wanted, "the fleet differs from what was set")
        },
        ConformanceCase("keeps whatever a fleet can say") { registry in
            for seed in 1...20 {
                var generator = GeneratedFleet(seed: UInt64(seed))
                let wanted = generator.fleet()
                try registry.update { $0 = wanted }
                try expect(try registry.fleet() == wanted, "fleet \(seed) differs from what was set")
            }
        },
        ConformanceCase("gives back what the change returns") { registry in
            let count = try registry.update { fleet in
                fleet.set(Sample.profile())
                return fleet.profiles.count
            }
            try expect(count == 1, "the result is \(count)")
        },
        ConformanceCase("replaces and removes") { registry in
            try registry.update { $0 = try Sample.fleet(nodes: 3) }
            try registry.update { fleet in
                fleet.remove(Sample.node(0).name)
                var node = Sample.node(1)
                node.address = Sample.address(999)
                fleet.set(node)
            }
            let fleet = try registry.fleet()
            try expect(fleet.nodes.count == 2, "\(fleet.nodes.count) nodes")
            try expect(
                fleet.node(address: Sample.address(999))?.name == Sample.node(1).name,
                "the address is not found"
            )
            try expect(fleet.node(mac: Sample.mac(0)) == nil, "a removed node is found")
        },
        ConformanceCase("lets two nodes exchange addresses in one change") { registry in
            try registry.update { $0 = try Sample.fleet(nodes: 2) }
            var (first, second) = (Sample.node(0), Sample.node(1))
            swap(&first.address, &second.address)
            swap(&first.macs, &second.macs)
            swap(&first.uuid, &second.uuid)
            try registry.update { [first, second] fleet in
                fleet.remove(first.name)
                fleet.remove(second.name)
                fleet.set(first)
                fleet.set(second)
            }
            let fleet = try registry.fleet()
            try expect(fleet.nodes[first.name] == first && fleet.nodes[second.name] == second, "the exchange is lost")
        },
        ConformanceCase("refuses a contradiction and changes nothing") { registry in
            let before = try Sample.fleet(nodes: 2)
            try registry.update { $0 = before }
            do {
                try registry.update { fleet in
                    fleet.remove(Sample.node(0).name)
                    var node = Sample.node(5)
                    node.macs = Sample.node(1).macs
                    fleet.set(node)
                }
                throw ConformanceFailure(description: "two nodes share a hardware address")
            } catch let problems as FleetProblems {
                try expect(!problems.problems.isEmpty, "no problem is named")
            }
            try expect(try registry.fleet() == before, "a refused change left a trace")
        },
        ConformanceCase("changes nothing when the change throws") { registry in
            struct Stop: Error {}
            try expectThrows("a failed change") {
                try registry.update { fleet in
                    fleet.set(Sample.profile())
                    throw Stop()
                }
            }
            try expect(try registry.fleet() == Fleet(), "a failed change left a trace")
        },
        ConformanceCase("lets changes at once happen one after the other") { registry in
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 40) { number in
                do {
                    try registry.update { $0.set(Profile(name: ProfileName(checked: "p\(number)"))) }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            try expect(failures.withLock { $0 }.isEmpty, "failed: \(failures.withLock { $0 })")
            let count = try registry.fleet().profiles.count
            try expect(count == 40, "\(count) of 40 changes are kept")
        },
        ConformanceCase("tells observers the newest fleet until they end") { registry in
            let told = DispatchSemaphore(value: 0)
            let newest = Mutex(Fleet())
            let observation = registry.observe { (fleet: Fleet) in
                newest.withLock { $0 = fleet }
                if fleet.profiles.count == 20 { told.signal() }
            }
            for number in 0..<20 {
                try registry.update { $0.set(Profile(name: ProfileName(checked: "p\(number)"))) }
            }
            try expect(told.wait(timeout: .now() + 20) == .success, "the newest fleet was not told")
            observation.cancel()
            try registry.update { $0.set(Sample.profile("late")) }
            try expect(newest.withLock { $0.profiles.count } == 20, "told after the end")
        },
        ConformanceCase("is readable inside an observer") { registry in
            let told = DispatchSemaphore(value: 0)
            let seen = Mutex(0)
            let observation = registry.observe { (_: Fleet) in
                seen.withLock { $0 = (try? registry.fleet().profiles.count) ?? -1 }
                told.signal()
            }
            defer { observation.cancel() }
            try registry.update { $0.set(Sample.profile()) }
            try expect(told.wait(timeout: .now() + 20) == .success, "nothing was told")
            try expect(seen.withLock { $0 } == 1, "the observer saw \(seen.withLock { $0 }) profiles")
        },
    ]
}
