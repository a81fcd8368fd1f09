import BootModel
import DHCP
import Netboot
import NetworkTypes

/// What relay agents ask for themselves (RFC 4388).
extension DHCPEngine {
    /// Answers a LEASEQUERY by address, hardware address or client identifier; only of relays of our networks.
    func leaseQuery(_ arrival: DHCPArrival, now: Timestamp) -> DHCPOutcome {
        let message = arrival.message
        guard !message.relayAgent.isAny, let home = wire(for: arrival).first, home.dhcp == .full,
            let server = arrival.addresses.first(where: { home.subnet.contains($0) }) ?? arrival.addresses.first
        else { return debug("LEASEQUERY from \(arrival.peer) ignored: no relay of ours") }
        let byAddress = !message.clientAddress.isAny
        let mac = message.mac ?? Self.hardwareAddress(in: (try? message.clientIdentifier()) ?? nil)
        let found: [Lease]
        if byAddress {
            found = [leases.lease(of: message.clientAddress)].compactMap { $0 }
        } else if let mac {
            found = fleet.networks.keys.compactMap { leases.address(of: mac, on: $0) }
                .compactMap { leases.lease(of: $0) }
        } else {
            found = []
        }
        let active = found.filter { $0.state == .bound && $0.expires > now }.sorted { $0.granted > $1.granted }
        let network = fleet.network(containing: active.first?.address ?? message.clientAddress)
        let isOurs = byAddress && network?.dhcp == .full
        let type: DHCPMessageType =
            !active.isEmpty ? .leaseActive : isOurs ? .leaseUnassigned : .leaseUnknown
        let node = NodeRequest(mac: mac ?? MACAddress(value: 0), stage: .system)
        let reply = DHCPReply(to: message, from: node, server: server)
            .leaseQuery(type, active.first, others: active.dropFirst().map(\.address), network: network, now: now)
        let outgoing = DHCPOutgoing(
            message: reply,
            destination: .relay(message.relayAgent),
            limit: message.payloadLimit,
            server: server
        )
        return DHCPOutcome(actions: [.send(outgoing)])
    }

    private static func hardwareAddress(in identifier: ClientIdentifier?) -> MACAddress? {
        guard let identifier, identifier.type == 1, identifier.bytes.count == 7 else { return nil }
        return MACAddress(bytes: identifier.bytes.dropFirst())
    }
}
