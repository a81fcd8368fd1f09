public import BootModel
import Foundation
import GRDB

extension Registry: IdentityStore {
    /// A host key as the table keeps it.
    private struct Key: Codable {
        var kind: String
        var privateFile: String
        var publicLine: String
    }

    /// The identity of a node; nil when it has none yet.
    ///
    /// Throws `RegistryError`.
    public func identity(of node: NodeName) throws -> NodeIdentity? {
        try read { try Self.identity(of: node, in: $0) }
    }

    /// Keeps a new identity unless the node has one already, and gives the one that is kept.
    ///
    /// Throws `RegistryError`.
    public func keep(_ identity: NodeIdentity) throws -> NodeIdentity {
        let keys = identity.hostKeys.map {
            Key(kind: $0.kind, privateFile: $0.privateFile, publicLine: $0.publicLine)
        }
        let text = String(decoding: try JSONEncoder().encode(keys), as: UTF8.self)
        return try write { database in
            if let first = try Self.identity(of: identity.node, in: database) { return first }
            try database.execute(
                sql: "INSERT INTO identity VALUES (?, ?, ?)",
                arguments: [identity.node.text, Data(identity.seed), text]
            )
            return identity
        }
    }

    /// Forgets the identity of a node.
    ///
    /// Throws `RegistryError`.
    public func forgetIdentity(of node: NodeName) throws {
        try write { try $0.execute(sql: "DELETE FROM identity WHERE node = ?", arguments: [node.text]) }
    }

    private static func identity(of node: NodeName, in database: Database) throws -> NodeIdentity? {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM identity WHERE node = ?", arguments: [node.text])
        guard let row else { return nil }
        let seed: Data = row["seed"]
        let text: String = row["host_keys"]
        let keys = try JSONDecoder().decode([Key].self, from: Data(text.utf8))
        return NodeIdentity(
            node: node,
            seed: Array(seed),
            hostKeys: keys.map {
                NodeIdentity.HostKey(kind: $0.kind, privateFile: $0.privateFile, publicLine: $0.publicLine)
            }
        )
    }
}
