import AdminAPI
import ArgumentParser
import BootModel
import NetworkTypes
import NodeAgent

/// `diskless node list`: every node with its newest boot.
struct NodeList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the nodes.")

    @Flag(help: "List the machines that asked how to boot and that nobody has named yet.")
    var unknown = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        if unknown { return try listUnknown() }
        if json.isOn { return try Output.json(try server.client.nodes()) }
        let nodes = try server.client.nodeLines()
        if nodes.isEmpty {
            return Output.note("no machine has a name yet: 'diskless node add NAME --mac MAC' gives one")
        }
        let rows = nodes.map { node in
            [
                node.name, node.macs, node.address, node.profiles, node.image.isEmpty ? "newest" : node.image,
                node.boot.isEmpty ? "never booted" : node.boot, node.seen.map(LocalTime.clock) ?? "", node.runs,
                node.load, node.rootUsed,
            ]
        }
        Output.table(["NAME", "MAC", "ADDRESS", "PROFILES", "IMAGE", "LAST BOOT"] + AgentTable.headings, rows)
    }

    private func listUnknown() throws {
        let machines = try server.client.unknownMachines()
        if json.isOn { return try Output.json(machines) }
        if machines.isEmpty { return Output.note("no machine without a name has asked how to boot") }
        let rows = machines.map { machine in
            [
                machine.mac.description, machine.kind, machine.vendorClass ?? "", machine.uuid?.description ?? "",
                LocalTime.full(machine.lastSeen), String(machine.requests),
            ]
        }
        Output.table(["MAC", "MACHINE", "VENDOR CLASS", "UUID", "LAST SEEN", "REQUESTS"], rows)
    }
}
