import BootModel
import DHCP
import Logging
import Netboot
import NetworkTypes

/// Clients older than DHCP (RFC 951, RFC 1534): one question, one answer, an address for good.
extension DHCPEngine {
    /// For how long a BOOTP client keeps its address: it never asks again, so for as long as a lease can say.
    static let bootpSeconds = UInt32.max

    /// A node with a reserved address gets that; others one of the pools where the network allows it.
    mutating func bootp(_ exchange: DHCPExchange) -> DHCPOutcome {
        guard exchange.network.dhcp == .full else { return DHCPOutcome() }
        let rules = rules(exchange)
        guard rules.reservation != nil || exchange.network.terms.answersBOOTP else {
            return debug("BOOTP request from \(exchange.mac) ignored: no address is reserved for it")
        }
        guard let address = leases.choose(for: exchange.mac, asking: exchange.wanted, rules, now: exchange.now) else {
            return exhausted(exchange)
        }
        var outcome = DHCPOutcome()
        outcome.changes = leases.grant(
            address,
            to: exchange.mac,
            on: exchange.network.name,
            seconds: Self.bootpSeconds,
            hostname: nil,
            now: exchange.now
        )
        let file = bootFile(exchange, address: address, in: &outcome)
        let reply = exchange.reply.bootp(terms(exchange, address: address), bootFile: file)
        var outgoing = DHCPOutgoing(
            message: reply,
            destination: DHCPReplyDestination(of: reply, to: exchange.message),
            // The 64 bytes of RFC 951's vendor area: old ROMs take no more.
            limit: DHCPMessage.minimumPayload,
            server: exchange.server
        )
        if !exchange.message.clientAddress.isAny { outgoing.message.yourAddress = exchange.message.clientAddress }
        outcome.actions.append(.send(outgoing))
        outcome.actions.append(.log(.info, "gave \(address) to \(exchange.who) by BOOTP"))
        return outcome
    }
}
