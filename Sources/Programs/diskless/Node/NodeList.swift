import AdminAPI
import ArgumentParser
import BootModel
import NetworkTypes

/// `diskless node list`: every node with its newest boot.
struct NodeList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the nodes.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let nodes = try server.client.nodes()
        if json.isOn { return try Output.json(nodes) }
        if nodes.isEmpty {
            return Output.note("no machine has a name yet: 'diskless node add NAME --mac MAC' gives one")
        }
        let rows = nodes.map { node in
            [
                node.name.text, node.macs.map(\.description).joined(separator: ","), node.address?.description ?? "",
                node.profiles.map(\.text).joined(separator: ","), node.image?.description ?? "newest",
                node.boot.map(BootTable.state) ?? "never booted",
            ]
        }
        Output.table(["NAME", "MAC", "ADDRESS", "PROFILES", "IMAGE", "LAST BOOT"], rows)
    }
}
