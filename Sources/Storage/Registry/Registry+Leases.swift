public import BootModel
import GRDB
import NetworkTypes

extension Registry: LeaseStore {
    /// Every lease that is kept, by address.
    ///
    /// Throws `RegistryError`.
    public func leases() throws -> [Lease] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM lease").map { row in
                Lease(
                    address: try FleetRows.text(row, "lease", "address"),
                    mac: try FleetRows.text(row, "lease", "mac"),
                    network: try FleetRows.text(row, "lease", "network"),
                    state: try FleetRows.word(row, "lease", "state"),
                    granted: Timestamp(microseconds: row["granted"]),
                    expires: Timestamp(microseconds: row["expires"]),
                    hostname: row["hostname"]
                )
            }
        }
        .sorted { $0.address < $1.address }
    }

    /// Applies all changes in one transaction: the caller gathers what arrives meanwhile into the next one.
    ///
    /// Throws `RegistryError`; then none of them is applied.
    public func commit(_ changes: [LeaseChange]) throws {
        guard !changes.isEmpty else { return }
        try write { database in
            let set = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            let remove = try database.cachedStatement(sql: "DELETE FROM lease WHERE address = ?")
            for change in changes {
                switch change {
                case .set(let lease):
                    try set.execute(arguments: [
                        lease.address.description, lease.mac.description, lease.network.text, lease.state.rawValue,
                        lease.granted.microseconds, lease.expires.microseconds, lease.hostname,
                    ])
                case .remove(let address): try remove.execute(arguments: [address.description])
                }
            }
        }
    }
}
