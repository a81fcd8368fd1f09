package import BootModel
package import DHCP
import Logging
package import NetworkTypes

/// Other servers on our wires.
extension DHCPEngine {
    /// For how many seconds another server is not spoken of again.
    static let otherServerSeconds = 3600.0

    /// What another server told a client, overheard on an interface of ours whose addresses are `own`.
    package mutating func overheard(
        _ message: DHCPMessage,
        from server: IPv4Address,
        mac: MACAddress,
        interface: String,
        own: [IPv4Address],
        now: Timestamp
    ) -> [DHCPAction] {
        guard message.operation == .reply, !own.contains(server) else { return [] }
        let type = (try? message.messageType()) ?? nil
        let identifier = ((try? message.serverIdentifier()) ?? nil) ?? server
        guard type == .offer || type == .ack, !own.contains(identifier) else { return [] }
        let arrivesAt = DHCPArrival(message: message, interface: interface, addresses: own)
        guard let network = wire(for: arrivesAt).first, network.dhcp != .off else { return [] }
        let isPXE = message.vendorClass().map { $0.isPXE || $0.isHTTP } == true
        let names = !message.bootFileText.isEmpty || message.bootFileName()?.isEmpty == false
        guard isPXE || names || network.dhcp == .full else { return [] }
        return told(identifier, now: now) {
            let what =
                isPXE || names
                ? "a second server, \(identifier) (\(mac)), answers booting machines on \(interface)"
                    + (message.bootFileText.isEmpty ? "" : " with boot file \(message.bootFileText.printable)")
                : "a second DHCP server, \(identifier) (\(mac)), gives out addresses on \(interface)"
            let mend =
                network.dhcp == .full
                ? "switch it off, or let this one only add boot information (dhcp: proxy)"
                : "firmware takes one of the two by rules of its own: remove the boot options there"
            return "\(what): \(mend)"
        }
    }

    /// A client took the offer of another server.
    mutating func chose(_ other: IPv4Address, _ exchange: DHCPExchange) -> DHCPOutcome {
        let actions = told(other, now: exchange.now) {
            "\(exchange.who) took its address from another DHCP server, \(other), on \(exchange.arrival.interface):"
                + " switch it off, or let this one only add boot information (dhcp: proxy)"
        }
        return actions.isEmpty
            ? debug("\(exchange.who) chose the DHCP server \(other)") : DHCPOutcome(actions: actions)
    }

    private mutating func told(_ server: IPv4Address, now: Timestamp, _ line: () -> String) -> [DHCPAction] {
        if let last = otherServers[server], now.seconds(since: last) < Self.otherServerSeconds { return [] }
        // Forged addresses must not fill the memory, nor the log.
        if otherServers.count >= 64 {
            otherServers = otherServers.filter { now.seconds(since: $0.value) < Self.otherServerSeconds }
            if otherServers.count >= 64 { return [] }
        }
        otherServers[server] = now
        return [.log(.warning, line())]
    }
}
