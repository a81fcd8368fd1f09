import AdminAPI
import ArgumentParser
import BootModel

/// `diskless status`: what is running.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what the server does and how its nodes are.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let status = try server.client.status()
        if json.isOn { return try Output.json(status) }
        let facts = status.server
        Output.line("diskless \(facts.version), process \(facts.process), since \(LocalTime.full(facts.started))")
        Output.line("state in \(facts.stateDirectory)")
        for served in facts.networks {
            let network = served.network
            Output.line(
                "network \(network.name): \(network.subnet) on \(served.interface), as \(served.server.address),"
                    + " DHCP \(network.dhcp.rawValue)"
            )
        }
        for listener in facts.listeners { Output.line("\(listener.service) on \(listener.place)") }
        Output.line("\(status.nodes) nodes, \(status.leases) addresses in use")
        if status.boots.isEmpty { return Output.line("no node has booted yet") }
        Output.table(BootTable.headings, status.boots.map(BootTable.row))
    }
}
