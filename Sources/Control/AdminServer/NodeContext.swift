import AdminAPI
import BootModel
import NetworkTypes
import NodeAgent

/// What is observed of nodes: their leases and newest boots, read once for a whole reply.
struct NodeContext {
    private let fleet: Fleet
    private var leases: [MACAddress: Lease] = [:]
    private var boots: [NodeName: Boot] = [:]
    private let commands: (any NodeCommanding)?

    /// Of all nodes, or of one.
    init(_ services: AdminServices, fleet: Fleet, only node: Node? = nil) throws {
        self.fleet = fleet
        commands = services.commands
        for lease in try services.leases.leases() where lease.state == .bound {
            if leases[lease.mac].map({ $0.expires < lease.expires }) ?? true { leases[lease.mac] = lease }
        }
        let found = try node.map { try services.log.boots(of: $0.name, limit: 1) } ?? services.log.newestBoots()
        for boot in found { boots[boot.node] = boot }
    }

    /// The newest boot of each node.
    var newestBoots: [Boot] { boots.values.sorted { $0.node < $1.node } }

    /// The lease of a node's first interface that has one.
    func lease(of node: Node) -> Lease? { node.macs.lazy.compactMap { leases[$0] }.first }

    /// What holds for a node, with what its machine told at its newest boot.
    func settings(of node: Node, machine: MachineFacts = MachineFacts()) -> EffectiveSettings {
        fleet.effectiveSettings(for: node, machine: machine.completed(by: boots[node.name]?.facts))
    }

    /// A node as the list shows it.
    func summary(_ node: Node) -> NodeSummary {
        NodeSummary(
            name: node.name,
            macs: node.macs,
            address: node.address ?? lease(of: node)?.address,
            profiles: node.profiles,
            image: settings(of: node).image?.value,
            boot: boots[node.name].map { BootRecord($0) },
            agent: commands?.condition(of: node.name)
        )
    }
}
