import BootModel
import Foundation
import GRDB
import NetworkTypes

/// The fleet as rows of the tables `network`, `profile`, `node`, `user` and `tag`.
enum FleetRows {
    /// Everything that the tables hold.
    static func read(_ database: Database) throws -> Fleet {
        let networks = try Row.fetchAll(database, sql: "SELECT * FROM network").map(network)
        let profiles = try Row.fetchAll(database, sql: "SELECT * FROM profile").map { row in
            Profile(
                name: try text(row, "profile", "name"),
                inherits: try JSONText.read(row["inherits"], "profile"),
                selectors: try selectors(row),
                settings: try settings(row, "profile")
            )
        }
        let nodes = try Row.fetchAll(database, sql: "SELECT * FROM node").map(node)
        let users = try Row.fetchAll(database, sql: "SELECT * FROM user").map(UserRows.user)
        let tags = try Row.fetchAll(database, sql: "SELECT * FROM tag").map(UserRows.tag)
        return Fleet(networks: networks, profiles: profiles, nodes: nodes, users: users, tags: tags)
    }

    /// Writes the entries in which two fleets differ.
    ///
    /// Whatever goes or changes is deleted first, so that two nodes can exchange their addresses in one change.
    static func write(_ database: Database, from old: Fleet, to new: Fleet) throws {
        guard let names = new.names(touchedSince: old) else { return try replace(database, old, new) }
        try replace(database, old.part(names), new.part(names))
    }

    private static func replace(_ database: Database, _ old: Fleet, _ new: Fleet) throws {
        try replace(database, "network", old.networks, new.networks, columns: 11) { network in
            [
                network.name.text, network.interface, network.subnet.description, network.dhcp.rawValue,
                try JSONText.write(network.pools), network.router?.description, try JSONText.write(network.nameservers),
                network.domain, Int64(network.leaseSeconds), network.unknownNodes.rawValue,
                try JSONText.write(network.terms),
            ]
        }
        try replace(database, "profile", old.profiles, new.profiles, columns: 4) { profile in
            [
                profile.name.text, try JSONText.write(profile.settings), try JSONText.write(profile.inherits),
                profile.selectors.isEmpty ? "[]" : try JSONText.write(profile.selectors.setting),
            ]
        }
        try replace(database, "node", old.nodes, new.nodes, columns: 7) { node in
            [
                node.name.text, try JSONText.write(node.macs), node.uuid?.description, node.address?.description,
                try JSONText.write(node.profiles), try JSONText.write(node.settings),
                try JSONText.write(node.identities),
            ]
        }
        try replace(database, "user", old.users, new.users, columns: 9, row: UserRows.values)
        try replace(database, "tag", old.tags, new.tags, columns: 2) { [$0.name.description, Int64($0.number)] }
    }

    private static func replace<Key: Hashable & CustomStringConvertible, Value: Equatable>(
        _ database: Database,
        _ table: String,
        _ old: [Key: Value],
        _ new: [Key: Value],
        columns: Int,
        row: (Value) throws -> [(any DatabaseValueConvertible)?]
    ) throws {
        let delete = try database.cachedStatement(sql: "DELETE FROM \(table) WHERE name = ?")
        for (name, value) in old where new[name] != value { try delete.execute(arguments: [name.description]) }
        let marks = Array(repeating: "?", count: columns).joined(separator: ", ")
        let insert = try database.cachedStatement(sql: "INSERT INTO \(table) VALUES (\(marks))")
        for (name, value) in new where old[name] != value {
            try insert.execute(arguments: StatementArguments(row(value)))
        }
    }

    private static func network(_ row: Row) throws -> BootModel.Network {
        BootModel.Network(
            name: try text(row, "network", "name"),
            interface: row["interface"],
            subnet: try text(row, "network", "subnet"),
            dhcp: try word(row, "network", "dhcp"),
            pools: try JSONText.read(row["pools"], "network"),
            router: try optionalText(row, "network", "router"),
            nameservers: try JSONText.read(row["nameservers"], "network"),
            domain: row["domain"],
            leaseSeconds: UInt32(clamping: row["lease_seconds"] as Int64),
            unknownNodes: try word(row, "network", "unknown_nodes"),
            terms: try JSONText.read(row["terms"], "network")
        )
    }

    private static func selectors(_ row: Row) throws -> [ProfileSelector] {
        let text: String = row["selectors"]
        guard text != "[]" else { return [] }
        let value: SettingValue = try JSONText.read(text, "profile")
        do {
            return try [ProfileSelector](setting: value)
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "profile.selectors holds \"\(text.prefix(80))\"")
        }
    }

    private static func settings(_ row: Row, _ table: String) throws -> Settings {
        let text: String = row["settings"]
        return text == "{}" ? Settings() : try JSONText.read(text, table)
    }

    private static func node(_ row: Row) throws -> BootModel.Node {
        BootModel.Node(
            name: try text(row, "node", "name"),
            macs: try JSONText.read(row["macs"], "node"),
            uuid: try optionalText(row, "node", "uuid"),
            identities: try JSONText.read(row["identities"], "node"),
            address: try optionalText(row, "node", "address"),
            profiles: try JSONText.read(row["profiles"], "node"),
            settings: try settings(row, "node")
        )
    }
}

extension FleetRows {
    /// A column that holds the text form of a value.
    static func text<Value: LosslessStringConvertible>(_ row: Row, _ table: String, _ column: String) throws -> Value {
        guard let value: Value = try optionalText(row, table, column) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(table).\(column) is empty")
        }
        return value
    }

    /// A column that holds the text form of a value, or nothing.
    static func optionalText<Value: LosslessStringConvertible>(
        _ row: Row,
        _ table: String,
        _ column: String
    ) throws -> Value? {
        guard let text: String = row[column] else { return nil }
        guard let value = Value(text) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(table).\(column) holds \"\(text)\"")
        }
        return value
    }

    /// A column that holds one of a few words.
    static func word<Value: RawRepresentable<String>>(_ row: Row, _ table: String, _ column: String) throws -> Value {
        let text: String = row[column]
        guard let value = Value(rawValue: text) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(table).\(column) holds \"\(text)\"")
        }
        return value
    }
}

/// Lists and settings inside one column, as JSON.
enum JSONText {
    static func write(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func read<Value: Decodable>(_ text: String, _ table: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(table) holds \"\(text.prefix(80))\"")
        }
    }
}
