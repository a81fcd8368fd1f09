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
        let type: DHCPMessageType
        do {
            guard let found = try message.messageType() else {
                return debug("BOOTP request from \(message.hardware) ignored: only DHCP is answered")
            }
            type = found
        } catch {
            return debug("DHCP message from \(message.hardware) ignored: \(error)")
        }
        guard let node = NodeRequest(dhcp: message) else {
            return debug("\(type) from \(message.hardware) ignored: no Ethernet address")
        }
        guard let network = network(for: arrival), network.dhcp != .off else {
            return debug("\(type) from \(node.mac) on \(arrival.interface) ignored: no network of ours")
        }
        let local = arrival.addresses.first { network.subnet.contains($0) } ?? arrival.addresses.first
        guard let server = local, !server.isAny else {
            return DHCPOutcome(actions: [
                .log(
                    .warning,
                    "\(type) from \(node.mac): interface \(arrival.interface) has no IPv4 address to answer from"
                )
            ])
        }
        let (known, isKnown) = planner.identify(node)
        if !isKnown, network.unknownNodes == .ignore {
            return debug("\(type) from \(node.mac) ignored: network \(network.name) boots only nodes it knows")
        }
        let exchange = DHCPExchange(
            arrival: arrival,
            type: type,
            request: node,
            node: known,
            isKnown: isKnown,
            network: network,
            server: server,
            now: now
        )
        if node.stage != .system { remember(node.mac, now: now) }
        switch (arrival.port, network.dhcp) {
        case (.bootServer, _): return bootServer(exchange)
        case (.dhcp, .full): return full(exchange)
        case (.dhcp, .proxy): return proxy(exchange)
        case (.dhcp, .off): return DHCPOutcome()
        }
    }

    /// The network a message is about: by the relay's word or its address, else the interface's.
    func network(for arrival: DHCPArrival) -> Network? {
        let message = arrival.message
        if !message.relayAgent.isAny {
            let link = (try? message.relayAgentInformation())??.linkSelection
            let selected = (try? message.subnetSelection()) ?? nil
            return fleet.network(containing: link ?? selected ?? message.relayAgent)
        }
        // A renewal that was routed to us comes from elsewhere than the interface's own network.
        if !message.clientAddress.isAny, let network = fleet.network(containing: message.clientAddress),
            network.interface == nil || network.interface == arrival.interface
        {
            return network
        }
        let here = fleet.networks.values.filter { network in
            network.interface.map { $0 == arrival.interface }
                ?? arrival.addresses.contains { network.subnet.contains($0) }
        }
        return here.min { $0.name < $1.name }
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

    /// What the machine boots; nil for machines that get only an address.
    func plan(_ exchange: DHCPExchange, addressing: NodeAddressing) -> Result<BootPlan, BootRefusal>? {
        guard exchange.request.stage != .system else { return nil }
        guard exchange.isKnown || exchange.network.unknownNodes == .boot else { return nil }
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
