public import BootModel
import GRDB
import NetworkTypes

extension Registry: EventLog {
    /// Keeps a boot, new or changed, together with the events that wait.
    ///
    /// Throws `RegistryError`.
    public func save(_ boot: Boot) throws { try save([boot]) }

    /// Keeps boots in one write, together with the events that wait.
    ///
    /// Throws `RegistryError`.
    public func save(_ boots: [Boot]) throws {
        let mustPrune = pendingEvents.countsSavedBoots(boots.count, every: 1024)
        try writingEvents { database in
            let insert = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO boot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )
            for boot in boots {
                try insert.execute(arguments: [
                    boot.id.text, boot.node.text, boot.mac.description, boot.started.microseconds,
                    BootRows.word(boot.progress), boot.image?.description, boot.architecture.map { Int64($0.rawValue) },
                    boot.up?.microseconds, boot.failure, try boot.facts.map { try JSONText.write($0) },
                ])
            }
            if mustPrune { try history.prune(database, now: Self.now()) }
        }
    }

    /// Appends an event and tells the observers; it is written within a quarter of a second.
    public func append(_ event: BootEvent) {
        pendingEvents.append(event) { [weak self] in
            // What cannot be written now is tried again with the next event; the boot itself must not wait for it.
            try? self?.flushEvents()
        }
        eventObservers.tell(event)
    }

    /// Writes the events that wait.
    ///
    /// Throws `RegistryError`.
    public func flushEvents() throws { try writingEvents { _ in } }

    /// The newest boots first, of one node or of all.
    ///
    /// Throws `RegistryError`.
    public func boots(of node: NodeName?, limit: Int) throws -> [Boot] {
        try read { database in
            let chosen = node == nil ? "" : "WHERE node = ?"
            let arguments: StatementArguments = (node.map { [$0.text] } ?? []) + [max(0, limit)]
            let sql = "SELECT * FROM boot \(chosen) ORDER BY started DESC, id DESC LIMIT ?"
            return try Row.fetchAll(database, sql: sql, arguments: arguments).map(BootRows.boot)
        }
    }

    /// The newest boot of each node, by the index of boots alone: there may be a thousand for each.
    ///
    /// Throws `RegistryError`.
    public func newestBoots() throws -> [Boot] {
        let boots = try read { database in
            let sql = """
                SELECT boot.* FROM boot JOIN (SELECT node, max(started) AS last FROM boot GROUP BY node) AS newest
                ON boot.node = newest.node AND boot.started = newest.last ORDER BY boot.id DESC
                """
            return try Row.fetchAll(database, sql: sql).map(BootRows.boot)
        }
        var nodes: Set<NodeName> = []
        return boots.filter { nodes.insert($0.node).inserted }
    }

    /// The events of a boot in the order they were appended.
    ///
    /// Throws `RegistryError`.
    public func events(of boot: BootIdentifier) throws -> [BootEvent] {
        try flushEvents()
        return try read { database in
            let sql = "SELECT * FROM event WHERE boot = ? ORDER BY id"
            return try Row.fetchAll(database, sql: sql, arguments: [boot.text]).map(BootRows.event)
        }
    }

    /// Calls `handler` for each appended event; one that is slow misses the oldest of those that wait for it.
    public func observe(_ handler: @escaping @Sendable (BootEvent) -> Void) -> any Observation {
        eventObservers.add(handler)
    }

    private func writingEvents(_ body: (Database) throws -> Void) throws {
        let events = pendingEvents.take()
        do {
            try write { database in
                try BootRows.append(events, to: database)
                try body(database)
            }
        } catch {
            pendingEvents.putBack(events)
            throw error
        }
    }
}

/// Boots and events as rows.
enum BootRows {
    /// The word a boot's progress is kept as.
    static func word(_ progress: Boot.Progress) -> String { "\(progress)" }

    static func boot(_ row: Row) throws -> Boot {
        let word: String = row["progress"]
        var boot = Boot(
            id: try FleetRows.text(row, "boot", "id"),
            node: try FleetRows.text(row, "boot", "node"),
            mac: try FleetRows.text(row, "boot", "mac"),
            started: Timestamp(microseconds: row["started"]),
            progress: Boot.Progress.allCases.first { Self.word($0) == word } ?? .firmware,
            image: try FleetRows.optionalText(row, "boot", "image"),
            architecture: (row["architecture"] as Int64?).map { ClientArchitecture(rawValue: UInt16(clamping: $0)) }
        )
        boot.up = (row["up"] as Int64?).map { Timestamp(microseconds: $0) }
        boot.failure = row["failure"]
        if let facts: String = row["facts"] { boot.facts = try JSONText.read(facts, "boot") }
        return boot
    }

    static func append(_ events: [BootEvent], to database: Database) throws {
        guard !events.isEmpty else { return }
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO event (boot, time, node, mac, kind, address, file, bytes, seconds, detail)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        for event in events {
            try insert.execute(arguments: [
                event.boot?.text, event.time.microseconds, event.node.text, event.mac.description, event.kind.rawValue,
                event.address?.description, event.file, event.bytes, event.seconds, event.detail,
            ])
        }
    }

    static func event(_ row: Row) throws -> BootEvent {
        BootEvent(
            time: Timestamp(microseconds: row["time"]),
            boot: try FleetRows.optionalText(row, "event", "boot"),
            node: try FleetRows.text(row, "event", "node"),
            mac: try FleetRows.text(row, "event", "mac"),
            kind: BootEvent.Kind(rawValue: row["kind"]),
            address: try FleetRows.optionalText(row, "event", "address"),
            file: row["file"],
            bytes: row["bytes"],
            seconds: row["seconds"],
            detail: row["detail"]
        )
    }
}
