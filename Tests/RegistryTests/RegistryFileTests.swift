import BootModel
import BootModelConformance
import Foundation
import GRDB
import NetworkTypes
import Synchronization
import Testing

@testable import Registry

@Suite("registry.sqlite")
struct RegistryFileTests {
    @Test("everything is there after a restart")
    func reopening() throws {
        let directory = try TemporaryDirectory()
        let fleet = try Sample.fleet(nodes: 5)
        do {
            let registry = try Registry(stateDirectory: directory.path)
            try registry.update { $0 = fleet }
            try registry.commit([.set(Sample.lease(1))])
            try registry.save(Sample.boot(1))
            registry.append(Sample.event(Sample.boot(1), 1))
            registry.close()
        }
        let registry = try Registry(stateDirectory: directory.path)
        #expect(registry.fleet() == fleet)
        #expect(try registry.leases() == [Sample.lease(1)])
        #expect(try registry.boots(of: nil, limit: 9) == [Sample.boot(1)])
        #expect(try registry.events(of: Sample.boot(1).id) == [Sample.event(Sample.boot(1), 1)])
    }

    @Test("whoever changed the fleet may wait until its observers follow, but not for ever")
    func observersAreAwaited() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        let gate = DispatchSemaphore(value: 0)
        let seen = Mutex(0)
        let observation = registry.observe { fleet in
            gate.wait()
            seen.withLock { $0 = fleet.nodes.count }
        }
        defer { observation.cancel() }
        #expect(registry.awaitObservers(seconds: 10), "there is nothing to follow yet")
        try registry.update { $0 = try Sample.fleet(nodes: 5) }
        #expect(!registry.awaitObservers(seconds: 0.01))
        #expect(seen.withLock { $0 } == 0)
        gate.signal()
        #expect(registry.awaitObservers(seconds: 10))
        #expect(seen.withLock { $0 } == 5)
    }

    @Test("whatever a fleet can say is there after a restart", arguments: 1...20)
    func generated(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var generator = GeneratedFleet(seed: seed)
        let fleet = generator.fleet()
        do {
            let registry = try Registry(stateDirectory: directory.path)
            try registry.update { $0 = fleet }
        }
        #expect(try Registry(stateDirectory: directory.path).fleet() == fleet)
    }

    @Test("only the server's own user reads the file, also one that was made open")
    func permissions() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/registry.sqlite"
        for _ in 0..<2 {
            let registry = try Registry(path: path)
            try registry.update { $0.set(Sample.profile()) }
            for suffix in ["", "-wal", "-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "registry.sqlite\(suffix)")
            }
            registry.close()
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        }
    }

    @Test("a registry of the first version is migrated, and its fleet is what it was")
    func firstSchema() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/registry.sqlite"
        do {
            let queue = try DatabaseQueue(path: path)
            try RegistrySchema.migrator.migrate(queue, upTo: "1 fleet, leases, boots")
            try queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO network VALUES ('lab', 'eth1', '10.0.0.0/24', 'full', '["10.0.0.128-10.0.0.254"]',
                            '10.0.0.1', '[]', NULL, 7200, 'boot');
                        INSERT INTO profile VALUES ('desk', '{"image":"debian","via":"nbd","writes":"cow"}');
                        INSERT INTO profile VALUES ('default', '{}');
                        INSERT INTO node VALUES ('megane', '["52:54:00:12:34:56"]', NULL, '10.0.0.71', '["desk"]',
                            '{"kernel-arguments":[],"writes":"ram"}');
                        INSERT INTO boot VALUES ('\(Sample.boot(1).id)', 'megane', '52:54:00:12:34:56',
                            32000000000000000, 'up', 'debian@7', 7, NULL, NULL);
                        """
                )
            }
        }
        let registry = try Registry(path: path)
        let fleet = registry.fleet()
        let desk = Settings(image: ImageReference("debian"), via: .nbd, writes: .cow)
        #expect(
            fleet.profiles[ProfileName(checked: "desk")] == Profile(name: ProfileName(checked: "desk"), settings: desk)
        )
        #expect(fleet.profiles[.default] == Profile(name: .default))
        let node = try #require(fleet.nodes[NodeName(checked: "megane")])
        #expect(node.settings == Settings(writes: .ram, kernelArguments: []))
        #expect(fleet.networks.count == 1 && fleet.users.isEmpty && fleet.tags.isEmpty && fleet.problems.isEmpty)
        #expect(try registry.boots(of: nil, limit: 9).map(\.facts) == [nil])
    }

    @Test("commits are synced, not left to the next checkpoint")
    func durability() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        let (synchronous, journal) = try registry.write { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
    }

    @Test("a newer schema is refused with one line")
    func newerSchema() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/registry.sqlite"
        do {
            let registry = try Registry(path: path)
            try registry.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 from the future')") }
        }
        let error = #expect(throws: RegistryError.self) { try Registry(path: path) }
        #expect(error?.cause == .newerSchema)
        #expect(error?.description.contains("newer version of diskless") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("a file that is no database, and a damaged one, are refused with one line")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/registry.sqlite"
        try Data("networks:\n  - name: lab\n".utf8 + [UInt8](repeating: 0x2a, count: 8192)).write(
            to: URL(fileURLWithPath: path)
        )
        var error = #expect(throws: RegistryError.self) { try Registry(path: path) }
        #expect(error?.cause == .damaged)

        let other = directory.path + "/other.sqlite"
        do {
            let registry = try Registry(path: other)
            try registry.update { $0 = try Sample.fleet(nodes: 500) }
            try registry.write { try $0.execute(sql: "UPDATE node SET macs = 'torn' WHERE name = 'node7'") }
        }
        error = #expect(throws: RegistryError.self) { try Registry(path: other) }
        #expect(error?.cause == .damaged)
        #expect(error?.description.contains("torn") == true)
    }

    @Test("a directory that is not there is one line")
    func noDirectory() {
        let error = #expect(throws: RegistryError.self) { try Registry(path: "/nonexistent/registry.sqlite") }
        #expect(error?.description.hasPrefix("/nonexistent/registry.sqlite: ") == true)
    }

    @Test("a full disk is said, and nothing changes")
    func diskFull() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        try registry.update { $0 = try Sample.fleet(nodes: 1) }
        try registry.write { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pages)")
        }
        let before = registry.fleet()
        let error = #expect(throws: RegistryError.self) { try registry.update { $0 = try Sample.fleet(nodes: 2000) } }
        #expect(error?.cause == .diskFull)
        #expect(registry.fleet() == before)
        registry.append(Sample.event(Sample.boot(1), 1))
        _ = try registry.write { try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1000000") }
        try registry.update { $0 = try Sample.fleet(nodes: 2000) }
        #expect(try registry.events(of: Sample.boot(1).id).count == 1, "an event survives a full disk")
    }

    @Test("the past is bounded")
    func history() throws {
        let directory = try TemporaryDirectory()
        let limits = HistoryLimits(bootsPerNode: 3, boots: 5, events: 8, seconds: 1e9)
        let path = directory.path + "/registry.sqlite"
        do {
            let registry = try Registry(path: path, history: limits)
            for number in 0..<10 {
                let boot = Sample.boot(number, node: number < 6 ? "a" : "b\(number)")
                try registry.save(boot)
                for event in 0..<4 { registry.append(Sample.event(boot, event)) }
            }
        }
        let registry = try Registry(path: path, history: limits)
        #expect(try registry.boots(of: nil, limit: 100).map(\.mac) == [9, 8, 7, 6, 5].map(Sample.mac))
        let events = try registry.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event") }
        #expect(events == 8)
    }

    @Test("old boots go by age")
    func age() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/registry.sqlite"
        var old = Sample.boot(1)
        old.started = Timestamp(seconds: 1_000_000_000)
        // A node that has been running ever since.
        var running = Sample.boot(3, node: "steady")
        running.started = Timestamp(seconds: 1_000_000_001)
        do {
            let registry = try Registry(path: path)
            for boot in [old, Sample.boot(2), running] { try registry.save(boot) }
            for boot in [old, running] { registry.append(Sample.event(boot, 1)) }
        }
        let registry = try Registry(path: path)
        #expect(try registry.boots(of: nil, limit: 9) == [Sample.boot(2), running])
        #expect(try registry.events(of: old.id).isEmpty)
    }
}
