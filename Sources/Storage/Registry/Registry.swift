public import BootModel
import CLinux
import Foundation
import GRDB
import Synchronization

/// The fleet, the leases and the boots of one server, in `registry.sqlite`.
///
/// One process owns the file; it is written ahead of its commits (WAL) with `synchronous=FULL`, so what a call has
/// returned for is on stable storage. The fleet is also kept in memory, where every request looks it up.
public final class Registry: Sendable {
    /// The file's name in the state directory.
    public static let fileName = "registry.sqlite"

    let path: String
    let pool: DatabasePool
    let history: HistoryLimits
    let currentFleet: Mutex<Fleet>
    let fleetObservers = Observers<Fleet>(label: "diskless.registry.fleet", capacity: 16)
    let eventObservers = Observers<BootEvent>(label: "diskless.registry.events", capacity: 4096)
    let pendingEvents: PendingEvents
    let leaseJournal: LeaseJournal
    /// Held while the fleet changes, so that two changes happen one after the other.
    private let changing = NSLock()

    /// Opens the registry in a state directory, making it when it is not there, and migrating an older one.
    ///
    /// Throws `RegistryError`.
    public convenience init(stateDirectory: String) throws {
        try self.init(path: stateDirectory + "/" + Self.fileName)
    }

    /// Opens the registry at a path.
    ///
    /// Throws `RegistryError`.
    public init(path: String, history: HistoryLimits = HistoryLimits()) throws {
        self.path = path
        self.history = history
        do {
            let pool = try Self.open(path)
            self.pool = pool
            leaseJournal = try Self.openJournal(beside: path, pool)
            var fleet = try pool.read { try FleetRows.read($0) }
            // One that a version with other rules has written is kept as it is, and checked whole at each change.
            try? fleet.settle()
            currentFleet = Mutex(fleet)
            try pool.write { try history.prune($0, now: Self.now()) }
        } catch {
            throw RegistryError(path, error)
        }
        pendingEvents = PendingEvents()
    }

    /// Writes what waits; afterwards the registry may be released.
    public func close() {
        try? flushEvents()
        // What stays in the journal then is read back at the next start.
        try? leaseJournal.close()
    }

    private static func openJournal(beside path: String, _ pool: DatabasePool) throws -> LeaseJournal {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folded = try pool.read { try LeaseRows.generation($0) }
        // Both files are read whole, once; the allocator would keep that memory for as long as the server runs.
        defer { malloc_trim(0) }
        let left = try LeaseJournal.recover(directory: directory, folded: folded)
        if left.generation > folded {
            try pool.write { try LeaseRows.write($0, left.changes, generation: left.generation) }
        }
        return LeaseJournal(directory: directory, folded: left.generation) { changes, generation in
            try pool.write { try LeaseRows.write($0, changes, generation: generation) }
        }
    }

    deinit { close() }

    private static func open(_ path: String) throws -> DatabasePool {
        try closeToOthers(path)
        var configuration = Configuration()
        configuration.label = "diskless.registry"
        configuration.busyMode = .timeout(5)
        // Readers are the admin API's; the servers look things up in memory.
        configuration.maximumReaderCount = 2
        let pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB sets synchronous=NORMAL when it turns WAL on, which may lose the last commits at a power cut.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let migrator = RegistrySchema.migrator
        let unknown = try pool.read { database in
            try migrator.hasBeenSuperseded(database)
                ? migrator.appliedIdentifiers(database).subtracting(migrator.migrations).sorted() : []
        }
        guard unknown.isEmpty else {
            throw RegistryError(.newerSchema, path, "schema \"\(unknown.joined(separator: "\", \""))\"")
        }
        try migrator.migrate(pool)
        return pool
    }

    /// Makes sure that only the server's own user reads the file: it holds the hashes of passwords.
    ///
    /// SQLite gives the files beside it (`-wal`, `-shm`) the same permissions.
    private static func closeToOthers(_ path: String) throws {
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }  // SQLite says why, with more words.
        defer { _ = Glibc.close(descriptor) }
        _ = fchmod(descriptor, 0o600)
        for suffix in ["-wal", "-shm"] { _ = unsafe chmod(path + suffix, 0o600) }
    }

    static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Runs one transaction; on stable storage when it returns.
    func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do {
            return try pool.write(body)
        } catch {
            throw RegistryError(path, error)
        }
    }

    func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do {
            return try pool.read(body)
        } catch {
            throw RegistryError(path, error)
        }
    }
}

extension Registry: NodeRegistry {
    /// The fleet as it is now, from memory.
    public func fleet() -> Fleet { currentFleet.withLock { $0 } }

    /// Changes the fleet in one transaction; `change` must not call `update` itself.
    ///
    /// Throws `FleetProblems` when the outcome contradicts itself, `RegistryError`, and what `change` throws.
    @discardableResult
    public func update<Result>(_ change: (inout Fleet) throws -> Result) throws -> Result {
        changing.lock()
        defer { changing.unlock() }
        let old = fleet()
        var new = old
        let result = try change(&new)
        guard new != old else { return result }
        let problems = new.check()
        guard problems.isEmpty else { throw FleetProblems(problems) }
        try write { [new] in try FleetRows.write($0, from: old, to: new) }
        try new.settle()
        currentFleet.withLock { [new] in $0 = new }
        fleetObservers.tell(new)
        return result
    }

    /// Runs a change of the database that makes another fleet, one after the other with all changes, and tells it.
    func changingFleet(_ body: () throws -> Fleet) throws {
        changing.lock()
        defer { changing.unlock() }
        var new = try body()
        try? new.settle()
        currentFleet.withLock { [new] in $0 = new }
        fleetObservers.tell(new)
    }

    /// Calls `handler` after each change; one that is slow may miss older fleets, never the newest.
    public func observe(_ handler: @escaping @Sendable (Fleet) -> Void) -> any Observation {
        fleetObservers.add(handler)
    }

    /// Waits until every observer has taken the fleet as it is now, `seconds` at most; false when one has not.
    ///
    /// No observer may call this.
    @discardableResult
    public func awaitObservers(seconds: Double) -> Bool { fleetObservers.settle(seconds: seconds) }
}
