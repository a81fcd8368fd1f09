public import BootModel
import GRDB
import NetworkTypes

extension Registry: LeaseStore {
    /// Every lease that is kept, by address.
    ///
    /// Throws `RegistryError`.
    public func leases() throws -> [Lease] {
        do {
            return try leaseJournal.reading { waiting in
                var kept = try LeaseRows.read(self)
                for (address, change) in waiting {
                    switch change {
                    case .set(let lease): kept[address] = lease
                    case .remove: kept[address] = nil
                    }
                }
                return kept.values.sorted { $0.address < $1.address }
            }
        } catch {
            throw RegistryError(path, error)
        }
    }

    /// Applies all changes with one sync of the disk: the caller gathers what arrives meanwhile into the next call.
    ///
    /// Throws `RegistryError`; then none of them is applied.
    public func commit(_ changes: [LeaseChange]) throws {
        guard !changes.isEmpty else { return }
        do {
            try leaseJournal.commit(changes)
        } catch {
            throw RegistryError(path, error)
        }
    }

    /// Brings the table of leases up to date with everything that is committed.
    func settleLeases() throws {
        do { try leaseJournal.settle() } catch { throw RegistryError(path, error) }
    }
}

/// Leases as rows of the table `lease`.
enum LeaseRows {
    /// Every row.
    static func read(_ registry: Registry) throws -> [IPv4Address: Lease] {
        try registry.read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT * FROM lease").map { row in
                let expires = Timestamp(microseconds: row["expires"])
                return Lease(
                    address: try FleetRows.text(row, "lease", "address"),
                    mac: try FleetRows.text(row, "lease", "mac"),
                    network: try FleetRows.text(row, "lease", "network"),
                    state: try FleetRows.word(row, "lease", "state"),
                    granted: Timestamp(microseconds: row["granted"]),
                    expires: expires,
                    kept: Timestamp(microseconds: row["kept"]),
                    hostname: row["hostname"]
                )
            }
            return Dictionary(rows.map { ($0.address, $0) }) { $1 }
        }
    }

    /// Writes the changes, and that everything up to this generation of the journal is here now.
    static func write(_ database: Database, _ changes: [LeaseChange], generation: UInt64) throws {
        let set = try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO lease (address, mac, network, state, granted, expires, kept, hostname)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        let remove = try database.cachedStatement(sql: "DELETE FROM lease WHERE address = ?")
        for change in changes {
            switch change {
            case .set(let lease):
                try set.execute(arguments: [
                    lease.address.description, lease.mac.description, lease.network.text, lease.state.rawValue,
                    lease.granted.microseconds, lease.expires.microseconds, lease.kept.microseconds, lease.hostname,
                ])
            case .remove(let address): try remove.execute(arguments: [address.description])
            }
        }
        try database.execute(
            sql: "UPDATE lease_journal SET generation = ?",
            arguments: [Int64(bitPattern: generation)]
        )
    }

    /// The newest generation of the journal that the table holds.
    static func generation(_ database: Database) throws -> UInt64 {
        UInt64(bitPattern: try Int64.fetchOne(database, sql: "SELECT generation FROM lease_journal") ?? 0)
    }
}
