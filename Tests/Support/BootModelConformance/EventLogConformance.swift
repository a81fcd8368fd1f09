package import BootModel
import Dispatch
import Synchronization

/// The promises of `EventLog`.
package enum EventLogConformance {
    /// Each promise.
    package static let cases: [ConformanceCase<any EventLog>] = [
        ConformanceCase("begins empty") { log in
            try expect(try log.boots(of: nil, limit: 10).isEmpty, "a fresh log has boots")
            try expect(try log.events(of: Sample.boot(1).id).isEmpty, "a fresh log has events")
        },
        ConformanceCase("keeps every field of a boot") { log in
            try log.save(Sample.boot(1))
            try expect(try log.boots(of: nil, limit: 10) == [Sample.boot(1)], "\(try log.boots(of: nil, limit: 10))")
        },
        ConformanceCase("replaces a boot that has changed") { log in
            var boot = Sample.boot(1)
            boot.up = nil
            try log.save(boot)
            try log.save(Sample.boot(1))
            try expect(try log.boots(of: nil, limit: 10) == [Sample.boot(1)], "not replaced")
        },
        ConformanceCase("keeps several boots at once") { log in
            try log.save([Sample.boot(1), Sample.boot(2)])
            try log.save([])
            try expect(try log.boots(of: nil, limit: 10) == [Sample.boot(2), Sample.boot(1)], "not both")
        },
        ConformanceCase("gives the newest boots first, of one node or all, within the limit") { log in
            for number in [2, 1, 3, 4] { try log.save(Sample.boot(number, node: number == 4 ? "other" : "node1")) }
            func numbers(_ node: String?, _ limit: Int) throws -> [Boot] {
                try log.boots(of: node.map { NodeName(checked: $0) }, limit: limit)
            }
            try expect(try numbers(nil, 10).map(\.mac) == [4, 3, 2, 1].map(Sample.mac), "all boots")
            try expect(try numbers("node1", 2).map(\.mac) == [3, 2].map(Sample.mac), "two of node1")
            try expect(try numbers("nobody", 2).isEmpty, "boots of nobody")
            try expect(try numbers(nil, 0).isEmpty, "a limit of 0")
        },
        ConformanceCase("gives the newest boot of each node") { log in
            try expect(try log.newestBoots().isEmpty, "a fresh log has boots")
            for number in 0..<12 {
                var boot = Sample.boot(number)
                boot.node = NodeName(checked: "n\(number % 3)")
                boot.started = Sample.time.advanced(bySeconds: Double(number))
                try log.save(boot)
            }
            let newest = try log.newestBoots().sorted { $0.node < $1.node }
            try expect(newest.map(\.node.text) == ["n0", "n1", "n2"], "\(newest.map(\.node))")
            try expect(newest.map(\.id) == [9, 10, 11].map { Sample.boot($0).id }, "not the newest")
        },
        ConformanceCase("keeps every field of an event, in order, by boot") { log in
            let (boot, other) = (Sample.boot(1), Sample.boot(2))
            try log.save(boot)
            try log.save(other)
            let events = [3, 1, 2].map { Sample.event(boot, $0) }
            for event in events { try log.append(event) }
            try log.append(Sample.event(other, 9))
            try expect(try log.events(of: boot.id) == events, "events differ: \(try log.events(of: boot.id))")
        },
        ConformanceCase("keeps kinds that it does not know") { log in
            let boot = Sample.boot(1)
            let event = Sample.event(boot, 1, kind: BootEvent.Kind(rawValue: "from the future"))
            try log.append(event)
            try expect(try log.events(of: boot.id) == [event], "an unknown kind is lost")
        },
        ConformanceCase("tells each event in order until the observation ends") { log in
            let boot = Sample.boot(1)
            let told = DispatchSemaphore(value: 0)
            let seen = Mutex<[BootEvent]>([])
            let observation = log.observe { (event: BootEvent) in
                let count = seen.withLock { seen in
                    seen.append(event)
                    return seen.count
                }
                if count == 50 { told.signal() }
            }
            let events = (0..<50).map { Sample.event(boot, $0) }
            for event in events { try log.append(event) }
            try expect(told.wait(timeout: .now() + 20) == .success, "not every event was told")
            observation.cancel()
            try log.append(Sample.event(boot, 99))
            try expect(seen.withLock { $0 } == events, "other events, another order, or told after the end")
        },
        ConformanceCase("does not wait for a slow observer") { log in
            let release = DispatchSemaphore(value: 0)
            let observation = log.observe { (_: BootEvent) in _ = release.wait(timeout: .now() + 20) }
            let boot = Sample.boot(1)
            for number in 0..<20 { try log.append(Sample.event(boot, number)) }
            try expect(try log.events(of: boot.id).count == 20, "events were held up")
            for _ in 0..<20 { release.signal() }
            observation.cancel()
        },
    ]
}
