public import BootModel

/// A file that the agent and its accounts need on a node.
public struct AgentFile: Hashable, Sendable {
    /// Its path on the node without a leading slash.
    public var path: String
    /// What it holds.
    public var text: String
    /// Whether only the node that boots may get it.
    public var isSecret: Bool
    /// Whether it is another one at each boot.
    public var isOfOneBoot = false

    /// The files of one boot.
    ///
    /// `node` is the name that the agent asks under.
    public static func files(node: NodeName, server: ServerAddresses, token: String, accounts: AccountFile)
        -> [AgentFile]
    {
        let folder = "run/diskless"
        var secret = AgentFile("\(folder)/token", token + "\n", isSecret: true)
        secret.isOfOneBoot = true
        return [
            AgentFile("\(folder)/users", accounts.text, isSecret: true),
            AgentFile("\(folder)/merge-users", AgentScript.mergeUsers + "\n"),
            AgentFile("\(folder)/prepare.d/50-agent", AgentScript.prepare + "\n"),
            secret,
            AgentFile("\(folder)/agent.conf", "server=\(server.address) port=\(server.httpPort) node=\(node)\n"),
            AgentFile("\(folder)/agent", AgentScript.agent + "\n"),
        ]
    }

    private init(_ path: String, _ text: String, isSecret: Bool = false) {
        self.path = path
        self.text = text
        self.isSecret = isSecret
    }
}
