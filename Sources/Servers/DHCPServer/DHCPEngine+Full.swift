import BootModel
import DHCP
import Logging
import Netboot
import NetworkTypes

/// Being the DHCP server of a network (RFC 2131 section 4.3).
extension DHCPEngine {
    mutating func full(_ exchange: DHCPExchange) -> DHCPOutcome {
        switch exchange.type {
        case .discover: return discover(exchange)
        case .request: return request(exchange)
        case .decline: return decline(exchange)
        case .release: return release(exchange)
        case .inform: return inform(exchange)
        default: return debug("\(exchange.type) from \(exchange.who) ignored")
        }
    }

    func rules(_ exchange: DHCPExchange) -> LeaseTable.Rules {
        let reservation = exchange.node.address.flatMap { exchange.network.subnet.containsHost($0) ? $0 : nil }
        let own = exchange.arrival.addresses + [exchange.network.router].compactMap { $0 }
        return LeaseTable.Rules(network: exchange.network, reservation: reservation) {
            [fleet, node = exchange.node.name] in
            own.contains($0) || (fleet.node(address: $0).map { $0.name != node } ?? false)
        }
    }

    private mutating func discover(_ exchange: DHCPExchange) -> DHCPOutcome {
        let isFirst = exchange.arrival.probeUntil == nil
        var outcome = DHCPOutcome(actions: isFirst ? [exchange.arrivalEvent].compactMap { $0 } : [])
        let rules = rules(exchange)
        guard let address = leases.choose(for: exchange.mac, asking: exchange.wanted, rules, now: exchange.now) else {
            // Another subnet on the same wire may have room.
            if let next = exchange.others.first {
                var elsewhere = exchange
                elsewhere.network = next
                elsewhere.others.removeFirst()
                elsewhere.server = exchange.arrival.addresses.first { next.subnet.contains($0) } ?? exchange.server
                return discover(elsewhere)
            }
            outcome.actions += exhausted(exchange).actions
            return outcome
        }
        leases.offer(address, to: exchange.mac, on: exchange.network.name, now: exchange.now)
        if search(for: address, exchange) {
            outcome.actions.append(.probe(address))
            return outcome
        }
        let file = bootFile(exchange, address: address, in: &outcome)
        let terms = terms(exchange, address: address)
        outcome.actions.append(exchange.send(exchange.reply.full(.offer, terms, bootFile: file)))
        outcome.actions += [exchange.record(.offer, address: address, file: file)].compactMap { $0 }
        if case .ipxe = exchange.request.stage { outcome.actions.append(.advertiseNoRouter) }
        if isVerbose || exchange.request.stage != .system {
            let level: Logger.Level = exchange.request.stage == .system ? .debug : .info
            outcome.actions.append(.log(level, line("offered", exchange, address, file)))
        }
        return outcome
    }

    /// Says who holds the addresses of a network that has none left, at most every ten seconds.
    mutating func exhausted(_ exchange: DHCPExchange) -> DHCPOutcome {
        let network = exchange.network
        guard !network.pools.isEmpty else {
            let reason = "network \(network.name) has no address pool and \(exchange.node.name) no reservation"
            return DHCPOutcome(
                actions: [exchange.record(.refuse, detail: reason)].compactMap { $0 }
                    + [.log(.warning, "no address for \(exchange.who): \(reason)")]
            )
        }
        let summary = "the pools of network \(network.name) are exhausted: see 'diskless leases'"
        let event = [exchange.record(.refuse, detail: summary)].compactMap { $0 }
        if let said = exhaustionSaid[network.name], (0..<10).contains(exchange.now.seconds(since: said)) {
            return DHCPOutcome(actions: event + debug("no address for \(exchange.who): \(summary)").actions)
        }
        exhaustionSaid[network.name] = exchange.now
        let held = leases.held(on: network.name, now: exchange.now)
        let size = network.pools.reduce(0) { $0 + $1.count }
        let soonest = held.prefix(3).map { lease in
            let who = lease.state == .declined ? "nobody, because it was found in use" : holder(lease)
            let minutes = max(1, Int(lease.expires.seconds(since: exchange.now) / 60))
            return "\(lease.address) by \(who) for another \(minutes) min"
        }
        let line =
            "no address for \(exchange.who): the pools of network \(network.name),"
            + " \(size == 1 ? "one address" : "\(size) addresses"), are exhausted;"
            + " free first: \(soonest.joined(separator: ", "))"
            + (held.count > 3 ? ", and \(held.count - 3) more ('diskless leases')" : "")
            + "; give it a larger pool or a shorter lease"
        return DHCPOutcome(actions: event + [.log(.warning, line)])
    }

    private func holder(_ lease: Lease) -> String {
        let name = fleet.node(mac: lease.mac)?.name.text ?? lease.hostname?.printable
        return name.map { "\($0) (\(lease.mac))" } ?? "\(lease.mac)"
    }

    private mutating func request(_ exchange: DHCPExchange) -> DHCPOutcome {
        let chosen = (try? exchange.message.serverIdentifier()) ?? nil
        if let chosen, !exchange.arrival.addresses.contains(chosen), chosen != exchange.server,
            chosen != exchange.serverOverride
        {
            leases.withdrawOffer(to: exchange.mac, on: exchange.network.name)
            return chose(chosen, exchange)
        }
        var outcome = DHCPOutcome(actions: [exchange.arrivalEvent].compactMap { $0 })
        let rules = rules(exchange)
        guard let address = exchange.wanted else { return debug("REQUEST from \(exchange.who) names no address") }
        guard leases.allows(address, for: exchange.mac, rules, now: exchange.now) else {
            let reason =
                exchange.network.subnet.contains(address)
                ? "\(address) is not for \(exchange.mac)" : "\(address) is not on network \(exchange.network.name)"
            leases.withdrawOffer(to: exchange.mac, on: exchange.network.name)
            guard exchange.network.terms.isAuthoritative || chosen != nil else {
                return debug("REQUEST of \(exchange.who) left to others: \(reason)")
            }
            outcome.actions.append(exchange.send(exchange.reply.refusal(reason)))
            outcome.actions += [exchange.record(.refuse, address: address, detail: reason)].compactMap { $0 }
            outcome.actions.append(.log(.info, "refused \(exchange.who): \(reason)"))
            return outcome
        }
        let isRenewal = leases.address(of: exchange.mac, on: exchange.network.name) == address
        outcome.changes = leases.grant(
            address,
            to: exchange.mac,
            on: exchange.network.name,
            seconds: exchange.network.leaseSeconds,
            hostname: exchange.message.hostName()?.printable,
            now: exchange.now
        )
        let file = bootFile(exchange, address: address, in: &outcome)
        outcome.actions.append(
            exchange.send(exchange.reply.full(.ack, terms(exchange, address: address), bootFile: file))
        )
        outcome.actions += [exchange.record(.acknowledge, address: address, file: file)].compactMap { $0 }
        let isQuiet = isRenewal && exchange.request.stage == .system
        if isVerbose || !isQuiet {
            let text = line(isRenewal ? "renewed" : "leased", exchange, address, file)
            outcome.actions.append(.log(isQuiet ? .debug : .info, text))
        }
        return outcome
    }

    private mutating func decline(_ exchange: DHCPExchange) -> DHCPOutcome {
        guard let address = (try? exchange.message.requestedAddress()) ?? nil else {
            return debug("DECLINE from \(exchange.who) names no address")
        }
        let changes = leases.decline(address, by: exchange.mac, on: exchange.network.name, now: exchange.now)
        guard !changes.isEmpty else {
            return debug("DECLINE of \(address) from \(exchange.who), who does not have it")
        }
        let line =
            "\(exchange.who) found \(address) in use by another machine: it is not given out for an hour;"
            + " find the machine that took it"
        return DHCPOutcome(changes: changes, actions: [.log(.warning, line)])
    }

    private mutating func release(_ exchange: DHCPExchange) -> DHCPOutcome {
        let address = exchange.message.clientAddress
        let changes = leases.release(address, by: exchange.mac, now: exchange.now)
        guard !changes.isEmpty else {
            return debug("RELEASE of \(address) from \(exchange.who), who does not have it")
        }
        return DHCPOutcome(changes: changes, actions: [.log(.info, "\(exchange.who) released \(address)")])
    }

    private func inform(_ exchange: DHCPExchange) -> DHCPOutcome {
        var outcome = DHCPOutcome()
        let address = exchange.message.clientAddress
        let file = address.isAny ? nil : bootFile(exchange, address: address, in: &outcome)
        outcome.actions.append(exchange.send(exchange.reply.full(.ack, terms(exchange, address: nil), bootFile: file)))
        outcome.actions += debug("answered INFORM of \(exchange.who)").actions
        return outcome
    }

    func terms(_ exchange: DHCPExchange, address: IPv4Address?) -> DHCPReply.Terms {
        DHCPReply.Terms(
            address: address,
            seconds: exchange.network.leaseSeconds,
            network: exchange.network,
            hostname: exchange.hostname,
            options: exchange.options
        )
    }

    /// What to boot with this address; a refusal is told, and the machine still gets its address.
    func bootFile(_ exchange: DHCPExchange, address: IPv4Address, in outcome: inout DHCPOutcome) -> BootFile? {
        let network = exchange.network
        let addressing = NodeAddressing.leased(
            address: address,
            subnet: network.subnet,
            router: network.router,
            nameservers: network.nameservers
        )
        switch plan(exchange, addressing: addressing) {
        case nil: return nil
        case .success(let plan)?: return plan.bootFile
        case .failure(let refusal)?:
            outcome.actions += refused(exchange, refusal)
            return nil
        }
    }

    func refused(_ exchange: DHCPExchange, _ refusal: BootRefusal) -> [DHCPAction] {
        [exchange.record(.refuse, detail: refusal.reason)].compactMap { $0 }
            + [.log(refusal.isIntended ? .debug : .warning, "nothing to boot for \(exchange.who): \(refusal.reason)")]
    }

    private func line(_ verb: String, _ exchange: DHCPExchange, _ address: IPv4Address, _ file: BootFile?) -> String {
        "\(verb) \(address) to \(exchange.who)" + (file.map { ", boot file \($0.text)" } ?? "")
    }
}
