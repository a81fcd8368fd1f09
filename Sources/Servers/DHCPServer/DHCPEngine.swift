package import BootModel
import DHCP
import Logging
import Netboot
package import NetworkTypes

/// Answers DHCP: messages and the time go in, lease changes and actions come out.
///
/// It has no sockets, no clock and no store, so whole dialogues are tested as values.
package struct DHCPEngine: Sendable {
    /// The desired state; set it before each batch.
    package var fleet: Fleet
    /// Who has which address.
    package var leases: LeaseTable
    let planner: any BootPlanning
    let httpPort: UInt16
    let nbdPort: UInt16
    /// Whether lines of level debug are wanted; making them costs more than answering.
    let isVerbose: Bool
    /// When a machine last spoke as firmware or loader; for answering its router solicitations.
    private var booting: [MACAddress: Timestamp] = [:]
    /// Addresses that are being looked for on the wire.
    var searches: [IPv4Address: AddressSearch] = [:]
    /// When an address was looked for in vain.
    var probed: [IPv4Address: Timestamp] = [:]
    /// When another server was last spoken of.
    var otherServers: [IPv4Address: Timestamp] = [:]
    /// When the log last said that a network's pools are exhausted.
    var exhaustionSaid: [NetworkName: Timestamp] = [:]

    /// For how many seconds after its last message a machine counts as booting.
    static let bootingSeconds = 120.0
    /// How many booting machines are remembered; more than a network boots in two minutes.
    static let bootingLimit = 16_384

    /// An engine that goes on with the kept leases.
    package init(
        fleet: Fleet,
        leases: [Lease] = [],
        planner: any BootPlanning,
        httpPort: UInt16 = 8067,
        nbdPort: UInt16 = 10809,
        isVerbose: Bool = true
    ) {
        self.fleet = fleet
        self.leases = LeaseTable(restoring: leases)
        self.planner = planner
        self.httpPort = httpPort
        self.nbdPort = nbdPort
        self.isVerbose = isVerbose
    }

    /// What one message leads to.
    package mutating func handle(_ arrival: DHCPArrival, now: Timestamp) -> DHCPOutcome {
        let message = arrival.message
        guard message.operation == .request else { return DHCPOutcome() }
        let type: DHCPMessageType?
        do {
            type = try message.messageType()
        } catch {
            return debug("DHCP message from \(message.hardware) ignored: \(error)")
        }
        if type == .leaseQuery { return leaseQuery(arrival, now: now) }
        let kind = type?.description ?? "BOOTP request"
        guard var node = NodeRequest(dhcp: message) else {
            return debug("\(kind) from \(message.hardware) ignored: no Ethernet address")
        }
        if type == nil { node.stage = .firmware }
        let wire = wire(for: arrival).filter { $0.dhcp != .off }
        let (known, isKnown) = planner.identify(node)
        let asked = ((try? message.requestedAddress()) ?? nil) ?? message.clientAddress
        guard let network = network(for: known, mac: node.mac, wanted: asked.isAny ? nil : asked, of: wire) else {
            return debug("\(kind) from \(node.mac) on \(arrival.interface) ignored: no network of ours")
        }
        let local = arrival.addresses.first { network.subnet.contains($0) } ?? arrival.addresses.first
        guard let server = local, !server.isAny else {
            return DHCPOutcome(actions: [
                .log(
                    .warning,
                    "\(kind) from \(node.mac): interface \(arrival.interface) has no IPv4 address to answer from"
                )
            ])
        }
        let fitting = network.terms.matches.isEmpty ? [] : network.terms.matches.filter { $0.fits(node) }
        let answer =
            fitting.lazy.compactMap(\.answer).first
            ?? (isKnown || network.unknownNodes == .boot
                ? .boot : network.unknownNodes == .addressOnly ? .addressOnly : .ignore)
        if answer == .ignore {
            let why = fitting.isEmpty ? "boots only nodes it knows" : "has a match rule that says so"
            return debug("\(kind) from \(node.mac) ignored: network \(network.name) \(why)")
        }
        let exchange = DHCPExchange(
            arrival: arrival,
            type: type ?? DHCPMessageType(rawValue: 0),
            request: node,
            node: known,
            isKnown: isKnown,
            network: network,
            others: wire.count > 1 ? wire.filter { $0.name != network.name && $0.dhcp == network.dhcp } : [],
            options: options(for: known, fitting, network),
            mayBoot: answer == .boot,
            server: server,
            now: now
        )
        if type == nil { return arrival.port == .dhcp ? bootp(exchange) : DHCPOutcome() }
        if node.stage != .system { remember(node.mac, now: now) }
        switch (arrival.port, network.dhcp) {
        case (.bootServer, _): return bootServer(exchange)
        case (.dhcp, .full): return full(exchange)
        case (.dhcp, .proxy): return proxy(exchange)
        case (.dhcp, .off): return DHCPOutcome()
        }
    }

    private mutating func remember(_ mac: MACAddress, now: Timestamp) {
        if booting.count >= Self.bootingLimit, booting[mac] == nil {
            booting = booting.filter { now.seconds(since: $0.value) < Self.bootingSeconds }
            if booting.count >= Self.bootingLimit { return }
        }
        booting[mac] = now
    }

    /// Whether a machine is booting from us right now.
    package func isBooting(_ mac: MACAddress, now: Timestamp) -> Bool {
        booting[mac].map { now.seconds(since: $0) < Self.bootingSeconds } ?? false
    }

    /// Further options, the strongest first, each number once: the node's and its profiles', those of match rules, the
    /// network's.
    private func options(for node: Node, _ fitting: [MatchRule], _ network: Network) -> [DHCPOptionSetting] {
        var all: [DHCPOptionSetting] = []
        let isSaid =
            node.settings.options != nil || fleet.profiles.values.contains { $0.settings.options != nil }
        if isSaid { all = fleet.effectiveSettings(for: node).options.value }
        all += fitting.flatMap(\.options) + network.terms.options
        if all.isEmpty { return all }
        var seen: Set<UInt8> = []
        return all.filter { seen.insert($0.code).inserted }
    }

    /// What the machine boots; nil for machines that get only an address.
    func plan(_ exchange: DHCPExchange, addressing: NodeAddressing) -> Result<BootPlan, BootRefusal>? {
        guard exchange.request.stage != .system, exchange.mayBoot else { return nil }
        return planner.plan(
            for: exchange.request,
            addressing: addressing,
            server: ServerAddresses(address: exchange.server, httpPort: httpPort, nbdPort: nbdPort)
        )
    }
}

extension DHCPEngine {
    /// Nothing but a line for those who look for faults.
    func debug(_ line: @autoclosure () -> String) -> DHCPOutcome {
        DHCPOutcome(actions: isVerbose ? [.log(.debug, line())] : [])
    }
}
