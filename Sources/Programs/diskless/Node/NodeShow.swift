import AdminAPI
import ArgumentParser
import BootModel
import NetworkTypes

/// `diskless node show NAME`: each effective value with where it came from.
struct NodeShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about one node, each setting with where it comes from."
    )

    @Argument(help: "The node.", transform: NodeArgument.name)
    var name: NodeName
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let reply = try server.client.node(name)
        if json.isOn { return try Output.json(reply) }
        var rows: [[String]] = [["name", reply.node.name.text, "node"]]
        rows += reply.node.macs.map { ["mac", $0.description, "node"] }
        if let uuid = reply.uuid { rows.append(["uuid", uuid.description, "node"]) }
        if let address = reply.reservation { rows.append(["address", address.description, "node"]) }
        if let lease = reply.lease {
            rows.append(["lease", lease.address.description, "until \(LocalTime.full(lease.expires))"])
        }
        let profiles = reply.profileChain.joined(separator: ", ")
        rows.append(["profiles", profiles.isEmpty ? "none" : profiles, ""])
        rows += reply.settings.map { [$0.key, $0.value, $0.source, $0.effect] }
        if let boot = reply.node.boot {
            rows.append(["last boot", BootTable.state(boot), LocalTime.full(boot.started)])
        }
        rows += reply.node.agent.map(AgentTable.rows) ?? []
        // What is no setting has no moment at which a change of it holds.
        rows = rows.map { $0.count == 4 ? $0 : $0 + [""] }
        Output.table(["SETTING", "VALUE", "FROM", "A CHANGE"], rows)
    }
}

/// A node's name on the command line.
enum NodeArgument {
    static func name(_ text: String) throws -> NodeName {
        do {
            return try NodeName(validating: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
