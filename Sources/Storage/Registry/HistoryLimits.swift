import BootModel
import GRDB

/// How much of the past is kept.
public struct HistoryLimits: Hashable, Sendable {
    /// Newest boots kept for one node.
    public var bootsPerNode: Int
    /// Newest boots kept for all nodes together.
    public var boots: Int
    /// Newest events kept for all boots together.
    public var events: Int
    /// Age in seconds after which boots and events go; the newest boot of a node stays, for the node may still run it.
    public var seconds: Double

    /// Limits; the defaults keep 30 days of at most 1000 boots a node.
    public init(
        bootsPerNode: Int = 1000,
        boots: Int = 200_000,
        events: Int = 4_000_000,
        seconds: Double = 30 * 86400
    ) {
        self.bootsPerNode = bootsPerNode
        self.boots = boots
        self.events = events
        self.seconds = seconds
    }

    /// Deletes what is past the limits.
    func prune(_ database: Database, now: Timestamp) throws {
        let oldest = now.advanced(bySeconds: -seconds).microseconds
        try database.execute(
            sql: """
                DELETE FROM boot WHERE started < ?
                    AND started < (SELECT max(later.started) FROM boot AS later WHERE later.node = boot.node)
                """,
            arguments: [oldest]
        )
        try database.execute(
            sql: """
                DELETE FROM boot WHERE id IN (
                    SELECT id FROM (
                        SELECT id, row_number() OVER (PARTITION BY node ORDER BY started DESC) AS place FROM boot
                    ) WHERE place > ?
                )
                """,
            arguments: [bootsPerNode]
        )
        try database.execute(
            sql: "DELETE FROM boot WHERE id IN (SELECT id FROM boot ORDER BY started DESC LIMIT -1 OFFSET ?)",
            arguments: [boots]
        )
        try database.execute(sql: "DELETE FROM event WHERE time < ?", arguments: [oldest])
        try database.execute(
            sql: "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?",
            arguments: [events]
        )
    }
}
