import BootModel
import BootModelConformance
import Foundation
import NetworkTypes
import Synchronization
import Testing

@testable import Registry

@Suite("the lease journal") struct LeaseJournalTests {
    /// What was folded, for a journal that never was.
    private final class Folded: Sendable {
        let changes = Mutex<[IPv4Address: LeaseChange]>([:])
        let fails = Mutex(false)
        struct NoDisk: Error {}

        func journal(_ directory: String, room: Int) -> LeaseJournal {
            LeaseJournal(directory: directory, folded: 0, room: room) { [self] changes, _ in
                if fails.withLock(\.self) { throw NoDisk() }
                self.changes.withLock { all in for change in changes { all[change.address] = change } }
            }
        }
    }

    @Test("what a crash leaves is read back, also across its two files")
    func recovery() throws {
        let directory = try TemporaryDirectory()
        let folded = Folded()
        folded.fails.withLock { $0 = true }
        let journal = folded.journal(directory.path, room: 4096)
        for number in 0..<10 { try journal.commit([.set(Sample.lease(number))]) }
        #expect(throws: (any Error).self) { try journal.close() }
        // The first file could not be folded; these go into the second.
        for number in 10..<20 { try journal.commit([.set(Sample.lease(number))]) }
        try journal.commit([.remove(Sample.address(3))])
        let (changes, generation) = try LeaseJournal.recover(directory: directory.path, folded: 0)
        var kept: [IPv4Address: LeaseChange] = [:]
        for change in changes { kept[change.address] = change }
        #expect(kept.count == 20)
        #expect(kept[Sample.address(3)] == .remove(Sample.address(3)))
        #expect(kept[Sample.address(17)] == .set(Sample.lease(17)))
        #expect(generation == 2)
        // Later, the disk takes everything.
        folded.fails.withLock { $0 = false }
        try journal.close()
        #expect(folded.changes.withLock(\.count) == 20)
        #expect(try LeaseJournal.recover(directory: directory.path, folded: 2).changes.isEmpty)
    }

    @Test("a torn or damaged end is no commit, and ends nothing before it", arguments: [0, 1, 5, 30])
    func damage(back: Int) throws {
        let directory = try TemporaryDirectory()
        let journal = Folded().journal(directory.path, room: 65_536)
        try journal.commit([.set(Sample.lease(1)), .set(Sample.lease(2))])
        let first = try LeaseFrame.encode([.set(Sample.lease(1)), .set(Sample.lease(2))], generation: 1).count
        try journal.commit([.set(Sample.lease(3))])
        let path = directory.path + "/leases-1.journal"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let end = try LeaseFrame.encode([.set(Sample.lease(3))], generation: 1).count + first
        bytes[end - 1 - back] ^= 0x40
        try bytes.write(to: URL(fileURLWithPath: path))
        let found = try LeaseJournal.recover(directory: directory.path, folded: 0).changes
        #expect(found == [.set(Sample.lease(1)), .set(Sample.lease(2))])
    }

    @Test("frames of an earlier turn of the file are not read")
    func turns() throws {
        let directory = try TemporaryDirectory()
        let folded = Folded()
        let journal = folded.journal(directory.path, room: 4096)
        for number in 0..<5 { try journal.commit([.set(Sample.lease(number))]) }
        try journal.close()
        try journal.commit([.set(Sample.lease(7))])
        try journal.close()
        // The first file's second turn: one frame over the five of the first.
        try journal.commit([.set(Sample.lease(8))])
        #expect(try LeaseJournal.recover(directory: directory.path, folded: 2).changes == [.set(Sample.lease(8))])
    }
}
