public import BootModel
import GRDB
import NetworkTypes

extension Registry: UnknownMachineStore {
    /// The machines without a name that were kept last.
    ///
    /// Throws `RegistryError`.
    public func unknownMachines() throws -> [UnknownMachine] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM unknown_machine").map { row in
                UnknownMachine(
                    mac: try FleetRows.text(row, "unknown_machine", "mac"),
                    vendorClass: row["vendor_class"],
                    architecture: (row["architecture"] as Int64?).map {
                        ClientArchitecture(rawValue: UInt16(clamping: $0))
                    },
                    uuid: try FleetRows.optionalText(row, "unknown_machine", "uuid"),
                    firstSeen: Timestamp(microseconds: row["first_seen"]),
                    lastSeen: Timestamp(microseconds: row["last_seen"]),
                    requests: row["requests"]
                )
            }
        }
    }

    /// Keeps these machines and no others.
    ///
    /// Throws `RegistryError`; then those from before are kept.
    public func keep(unknownMachines machines: [UnknownMachine]) throws {
        try write { database in
            try database.execute(sql: "DELETE FROM unknown_machine")
            let insert = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO unknown_machine VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            for machine in machines {
                try insert.execute(arguments: [
                    machine.mac.description, machine.vendorClass, machine.architecture.map { Int64($0.rawValue) },
                    machine.uuid?.description, machine.firstSeen.microseconds, machine.lastSeen.microseconds,
                    machine.requests,
                ])
            }
        }
    }
}

extension RegistrySchema {
    /// Machines that asked and have no name.
    static let unknownMachines = """
        CREATE TABLE unknown_machine (
            mac TEXT PRIMARY KEY NOT NULL,
            vendor_class TEXT,
            architecture INTEGER,
            uuid TEXT,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            requests INTEGER NOT NULL
        );
        """
}
