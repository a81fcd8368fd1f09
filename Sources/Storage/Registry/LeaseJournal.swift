import BootModel
import Dispatch
import Foundation
import NetworkTypes

/// Keeps lease changes on stable storage at the price of one write and one sync a commit, and moves them into
/// `registry.sqlite` when nobody waits.
///
/// Two files take turns. A commit is one frame, appended to the file in use. When it is full, or nothing was committed
/// for a second, the other file is taken and what the first one holds is folded into the database in one
/// transaction, which also notes the file's generation; only then the first file is free again. After a crash the
/// frames of generations that the database does not know are read back.
final class LeaseJournal: @unchecked Sendable {  // `state` and `files` only under `lock`.
    /// Writes changes and their generation into the database, in one transaction.
    typealias Fold = @Sendable (_ changes: [LeaseChange], _ generation: UInt64) throws -> Void

    private struct State {
        var generation: UInt64
        var offset = 0
        /// What the file in use holds, the last change of each address.
        var pending: [IPv4Address: LeaseChange] = [:]
        /// What the other file holds and the database does not yet.
        var folding: [IPv4Address: LeaseChange] = [:]
        var foldingGeneration: UInt64 = 0
        var isScheduled = false
        var lastCommit = DispatchTime(uptimeNanoseconds: 0)
    }

    private let paths: [String]
    private let directory: String
    private let lock = NSLock()
    private var state: State
    private var files: [LeaseJournalFile] = []
    private let queue = DispatchQueue(label: "diskless.registry.leases", qos: .utility)
    private let fold: Fold

    /// Bytes after which the other file is taken: 80,000 leases or so.
    private let room: Int
    /// Bytes that a file may grow to while the database does not take what it holds; then commits fail.
    private let limit: Int

    /// A journal in `directory` whose next generation follows `folded`; `recover` has been asked before.
    init(directory: String, folded: UInt64, room: Int = 8 << 20, fold: @escaping Fold) {
        self.directory = directory
        self.room = room
        limit = room * 16
        paths = Self.paths(in: directory)
        state = State(generation: folded + 1)
        self.fold = fold
    }

    private static func paths(in directory: String) -> [String] {
        ["0", "1"].map { "\(directory)/leases-\($0).journal" }
    }

    /// The changes that a crash left in the journal and the database does not have, oldest first.
    static func recover(directory: String, folded: UInt64) throws -> (changes: [LeaseChange], generation: UInt64) {
        var found: [(generation: UInt64, changes: [LeaseChange])] = []
        for path in paths(in: directory) {
            let bytes = try LeaseJournalFile.contents(of: path)
            var offset = 0
            var current: UInt64?
            var changes: [LeaseChange] = []
            while let frame = LeaseFrame.decode(bytes, at: offset), frame.generation == current ?? frame.generation {
                current = frame.generation
                changes += frame.changes
                offset = frame.next
            }
            if let current, current > folded { found.append((current, changes)) }
        }
        found.sort { $0.generation < $1.generation }
        return (found.flatMap(\.changes), found.last?.generation ?? folded)
    }

    /// Keeps the changes; they are on stable storage when it returns.
    func commit(_ changes: [LeaseChange]) throws {
        lock.lock()
        defer { lock.unlock() }
        if files.isEmpty {
            files = try paths.map { try LeaseJournalFile($0, room: room) }
            try LeaseJournalFile.syncDirectory(directory)
        }
        guard state.offset < limit else {
            throw LeaseJournalFull(path: paths[Int(state.generation % 2)])
        }
        let frame = try LeaseFrame.encode(changes, generation: state.generation)
        try files[Int(state.generation % 2)].write(frame, at: state.offset)
        state.offset += frame.count
        for change in changes { state.pending[change.address] = change }
        state.lastCommit = .now()
        schedule()
    }

    /// Folds soon: at once when the file is full, else when nothing was committed for a second.
    private func schedule() {
        guard !state.isScheduled else { return }
        state.isScheduled = true
        queue.asyncAfter(deadline: .now() + .milliseconds(250)) { [weak self] in self?.look() }
    }

    private func look() {
        lock.lock()
        state.isScheduled = false
        let isIdle = DispatchTime.now().uptimeNanoseconds &- state.lastCommit.uptimeNanoseconds > 1_000_000_000
        let mustFold = isIdle || state.offset >= room
        if !mustFold || state.offset >= limit { schedule() }
        lock.unlock()
        if mustFold, (try? foldAll()) == nil {
            // Nothing is lost: the journal has it; the next look tries again.
            lock.lock()
            schedule()
            lock.unlock()
        }
    }

    /// On `queue`: brings the database up to date with what was committed before the call.
    private func foldAll() throws {
        try foldTaken()
        lock.lock()
        if !state.pending.isEmpty {
            state.folding = state.pending
            state.pending = [:]
            state.foldingGeneration = state.generation
            state.generation += 1
            state.offset = 0
        }
        lock.unlock()
        try foldTaken()
    }

    private func foldTaken() throws {
        lock.lock()
        let (changes, generation) = (state.folding, state.foldingGeneration)
        lock.unlock()
        guard !changes.isEmpty else { return }
        try fold(Array(changes.values), generation)
        lock.lock()
        state.folding = [:]
        lock.unlock()
    }

    /// Folds what there is, then reads the database without another fold in between; `body` gets what is not folded.
    func reading<Result>(_ body: ([IPv4Address: LeaseChange]) throws -> Result) throws -> Result {
        try queue.sync {
            lock.lock()
            let waiting = state.folding.merging(state.pending) { $1 }
            lock.unlock()
            return try body(waiting)
        }
    }

    /// Folds everything that is committed.
    func settle() throws { try queue.sync { try foldAll() } }

    /// Folds everything; afterwards the journal holds nothing that the database does not.
    func close() throws {
        try queue.sync { try foldAll() }
    }
}

/// The database takes no leases, and the journal before it is full.
struct LeaseJournalFull: Error, CustomStringConvertible {
    var path: String
    var description: String { "\(path) is full, because registry.sqlite takes no more leases" }
}
