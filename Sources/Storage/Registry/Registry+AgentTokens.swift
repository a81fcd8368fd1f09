public import BootModel
import GRDB
public import NetworkTypes
public import NodeAgent

extension Registry: AgentTokenStore {
    static let agentTokenTable = """
        CREATE TABLE agent_token (
            digest TEXT PRIMARY KEY NOT NULL,
            boot TEXT NOT NULL,
            mac TEXT NOT NULL
        );
        CREATE INDEX agent_token_of_machine ON agent_token (mac);
        """

    /// Keeps a token's digest, and forgets those of the machine's earlier boots.
    ///
    /// Throws `RegistryError`.
    public func keepToken(digest: String, boot: BootIdentifier, mac: MACAddress) throws {
        try write { database in
            try database.execute(
                sql: "DELETE FROM agent_token WHERE mac = ? AND boot <> ?",
                arguments: [mac.description, boot.text]
            )
            try database.execute(
                sql: "INSERT OR REPLACE INTO agent_token VALUES (?, ?, ?)",
                arguments: [digest, boot.text, mac.description]
            )
        }
    }

    /// The boot and machine of a token.
    ///
    /// Throws `RegistryError`.
    public func tokenOwner(digest: String) throws -> (boot: BootIdentifier, mac: MACAddress)? {
        try read { database in
            let row = try Row.fetchOne(
                database,
                sql: "SELECT boot, mac FROM agent_token WHERE digest = ?",
                arguments: [digest]
            )
            guard let row, let boot = BootIdentifier(row["boot"] as String), let mac = MACAddress(row["mac"] as String)
            else { return nil }
            return (boot, mac)
        }
    }
}
