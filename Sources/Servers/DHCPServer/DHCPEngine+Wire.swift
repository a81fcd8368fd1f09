import BootModel
import DHCP
import NetworkTypes

/// Which networks a message is about.
extension DHCPEngine {
    /// The networks that lie on the sender's wire, the one that the message is about first; empty when none is ours.
    ///
    /// One sentence: by the relay's word or its address, else by the address the sender has, else by the interface; with
    /// them all that share the wire.
    func wire(for arrival: DHCPArrival) -> [Network] {
        let message = arrival.message
        if !message.relayAgent.isAny {
            let link = (try? message.relayAgentInformation())??.linkSelection
            let selected = (try? message.subnetSelection()) ?? nil
            let first =
                (link ?? selected).flatMap { fleet.network(containing: $0) }
                ?? fleet.networks.values.first { $0.terms.relays.contains(message.relayAgent) }
                ?? fleet.network(containing: message.relayAgent)
            return first.map { withCompanions([$0]) } ?? []
        }
        let here = fleet.networks.values.filter { network in
            network.interface.map { $0 == arrival.interface }
                ?? arrival.addresses.contains { network.subnet.contains($0) }
        }
        .sorted { left, right in
            // The subnet of the interface's own address first: its machines need no second one to reach us.
            let (mine, other) = (isLocal(left, arrival), isLocal(right, arrival))
            return mine == other ? left.name < right.name : mine
        }
        // A renewal that was routed to us comes from elsewhere than the interface's own network.
        if !message.clientAddress.isAny, let network = fleet.network(containing: message.clientAddress),
            network.interface == nil || network.interface == arrival.interface
        {
            return withCompanions([network] + here.filter { $0.name != network.name })
        }
        return withCompanions(here)
    }

    private func isLocal(_ network: Network, _ arrival: DHCPArrival) -> Bool {
        arrival.addresses.contains { network.subnet.contains($0) }
    }

    private func withCompanions(_ networks: [Network]) -> [Network] {
        let names = Set(networks.compactMap(\.terms.sharedNetwork))
        guard !names.isEmpty else { return networks }
        let known = Set(networks.map(\.name))
        let others = fleet.networks.values.filter { network in
            !known.contains(network.name) && network.terms.sharedNetwork.map(names.contains) == true
        }
        return networks + others.sorted { $0.name < $1.name }
    }

    /// Of the networks of one wire the one to answer from: where the node's address is reserved, else where the address
    /// lies that the message asks for, else where the machine had one, else the first.
    func network(for node: Node, mac: MACAddress, wanted: IPv4Address?, of wire: [Network]) -> Network? {
        guard wire.count > 1 else { return wire.first }
        if let address = node.address, let network = wire.first(where: { $0.subnet.containsHost(address) }) {
            return network
        }
        if let wanted, let network = wire.first(where: { $0.subnet.contains(wanted) }) { return network }
        return wire.first { leases.address(of: mac, on: $0.name) != nil } ?? wire.first
    }
}
