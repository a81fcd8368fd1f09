import BootModel
import Foundation
import GRDB

extension Registry {
    /// Writes a copy of everything that is kept here to a new file, while it is in use, by SQLite's online backup.
    ///
    /// Only this user may read the file; it is on stable storage on return. Throws `RegistryError`, also when there is a
    /// file of that name.
    public func copy(to path: String) throws {
        try flushEvents()
        try settleLeases()
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw RegistryError(.other, path, "cannot be made: \(unsafe String(cString: strerror(errno)))")
        }
        defer { _ = Glibc.close(descriptor) }
        do {
            let destination = try DatabaseQueue(path: path)
            try pool.backup(to: destination)
            // A copy is one file: without this its reader would look for a log beside it.
            try destination.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try destination.close()
        } catch {
            _ = unsafe unlink(path)
            throw RegistryError(path, error)
        }
        fsync(descriptor)
    }

    /// Makes this registry what a copy holds, in one transaction, while it is in use; the copy may be of an older
    /// version and is migrated.
    ///
    /// Leases are taken from the copy only when none are kept here: those here are of machines that run. Observers are
    /// told the new fleet. Throws `FleetProblems` and `RegistryError`; then nothing has changed.
    public func restore(from path: String) throws {
        guard unsafe access(path, R_OK) == 0 else {
            throw RegistryError(.other, path, unsafe String(cString: strerror(errno)))
        }
        try Self.migrate(copy: path)
        try flushEvents()
        try settleLeases()
        try changingFleet {
            do {
                let fleet = try pool.writeWithoutTransaction { database in
                    try database.execute(sql: "ATTACH DATABASE ? AS backup", arguments: [path])
                    defer { try? database.execute(sql: "DETACH DATABASE backup") }
                    var fleet = Fleet()
                    try database.inTransaction(.immediate) {
                        try Self.takeTables(database)
                        fleet = try FleetRows.read(database)
                        let problems = fleet.problems
                        guard problems.isEmpty else { throw FleetProblems(problems) }
                        return .commit
                    }
                    return fleet
                }
                return fleet
            } catch let problems as FleetProblems {
                throw problems
            } catch {
                throw RegistryError(path, error)
            }
        }
    }

    private static func migrate(copy path: String) throws {
        do {
            let queue = try DatabaseQueue(path: path)
            let migrator = RegistrySchema.migrator
            let applied = try queue.read { try migrator.appliedIdentifiers($0) }
            guard !applied.isEmpty else { throw RegistryError(.damaged, path, "it holds no fleet") }
            let unknown = applied.subtracting(migrator.migrations).sorted()
            guard unknown.isEmpty else {
                throw RegistryError(.newerSchema, path, "schema \"\(unknown.joined(separator: "\", \""))\"")
            }
            try migrator.migrate(queue)
            try queue.close()
        } catch {
            throw RegistryError(path, error)
        }
    }

    /// Puts the rows of the copy into the place of ours, table by table.
    private static func takeTables(_ database: Database) throws {
        let tables = try String.fetchAll(
            database,
            sql: """
                SELECT name FROM backup.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                    AND name != 'grdb_migrations'
                """
        )
        let hasLeases = try Int.fetchOne(database, sql: "SELECT count(*) FROM main.lease") ?? 0 > 0
        // How much of the lease journal the table holds is about the journal beside this registry.
        for table in tables where table != "lease_journal" && (table != "lease" || !hasLeases) {
            let columns = try database.columns(in: table, in: "backup").map { "\"\($0.name)\"" }.joined(separator: ", ")
            try database.execute(sql: "DELETE FROM main.\"\(table)\"")
            try database.execute(
                sql: "INSERT INTO main.\"\(table)\" (\(columns)) SELECT \(columns) FROM backup.\"\(table)\""
            )
        }
    }
}
