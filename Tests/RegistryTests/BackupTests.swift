import BootModel
import BootModelConformance
import Foundation
import GRDB
import Testing

@testable import Registry

@Suite("Copies of a registry")
struct BackupTests {
    @Test("hold the leases that only the journal has")
    func leasesOfTheJournal() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        let leases = (0..<5).map { Sample.lease($0) }
        try registry.commit(leases.map { .set($0) })
        let copy = directory.path + "/copy.sqlite"
        try registry.copy(to: copy)
        let other = try TemporaryDirectory()
        let fresh = try Registry(stateDirectory: other.path)
        try fresh.restore(from: copy)
        #expect(Set(try fresh.leases()) == Set(leases))
    }

    @Test("leave the journal of the registry that they are restored into as it is")
    func journalAfterRestore() throws {
        let (directory, other, crashed) = (
            try TemporaryDirectory(), try TemporaryDirectory(), try TemporaryDirectory()
        )
        let registry = try Registry(stateDirectory: directory.path)
        // A long life: its journal has had many generations.
        for number in 0..<20 {
            try registry.commit([.set(Sample.lease(number))])
            try registry.settleLeases()
        }
        let copy = directory.path + "/copy.sqlite"
        try registry.copy(to: copy)
        let fresh = try Registry(stateDirectory: other.path)
        try fresh.restore(from: copy)
        let late = Sample.lease(100)
        try fresh.commit([.set(late)])
        // As a crash leaves it: what was acknowledged is in the journal alone.
        for name in try FileManager.default.contentsOfDirectory(atPath: other.path) where !name.hasSuffix("-shm") {
            try FileManager.default.copyItem(atPath: "\(other.path)/\(name)", toPath: "\(crashed.path)/\(name)")
        }
        let again = try Registry(stateDirectory: crashed.path)
        #expect(try again.leases().contains(late))
        #expect(try again.leases().count == 21)
    }

    @Test("with contradictions are refused, and nothing changes")
    func contradictions() throws {
        let directory = try TemporaryDirectory()
        let registry = try Registry(stateDirectory: directory.path)
        try registry.update { $0 = try Sample.fleet(nodes: 2) }
        let copy = directory.path + "/copy.sqlite"
        try registry.copy(to: copy)
        let queue = try Registry(path: copy)
        try queue.write { try $0.execute(sql: "UPDATE node SET address = '10.9.9.9' WHERE name = 'node0'") }
        queue.close()
        let before = registry.fleet()
        #expect(throws: FleetProblems.self) { try registry.restore(from: copy) }
        #expect(registry.fleet() == before)
    }
}
