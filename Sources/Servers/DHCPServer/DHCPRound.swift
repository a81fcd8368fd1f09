import BootModel
import DHCP
import Logging
import NeighborDiscovery
import NetworkIO
import NetworkTypes
import Synchronization

/// One round of the server's thread: receive all, answer, commit once, send.
struct DHCPRound: ~Copyable {
    private let server: DHCPServer
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var interfaces: [NetworkInterface] = []
    private var interfacesRead: Timestamp?
    /// When a real IPv6 router was last heard on each link.
    private var routerHeard: [Timestamp?]
    private var fleetFailed = false
    /// Changes that the store would not take, each address's last one; they go before the next ones, so that the store
    /// never keeps what the table has given up.
    private var unkept: [IPv4Address: LeaseChange] = [:]

    /// How many datagrams of one socket a round takes, so that the others have their turn.
    private static let batch = 512

    init(server: DHCPServer) {
        self.server = server
        routerHeard = server.links.map { _ in nil }
    }

    mutating func serve() {
        let now = server.ports.clock.now()
        refreshInterfaces(now)
        var arrivals: [(link: Int, arrival: DHCPArrival)] = []
        for index in server.links.indices {
            receive(link: index, server.links[index].dhcp, .dhcp, into: &arrivals)
            receive(link: index, server.links[index].bootServer, .bootServer, into: &arrivals)
        }
        if !arrivals.isEmpty { answer(arrivals, now: now) }
        for index in server.links.indices { answerSolicitations(link: index, now: now) }
    }

    /// Addresses may come late or change, so they are read again, but not for every packet of a storm.
    private mutating func refreshInterfaces(_ now: Timestamp) {
        if let read = interfacesRead, (0..<2).contains(now.seconds(since: read)) { return }
        interfacesRead = now
        if let all = try? NetworkInterface.all() { interfaces = all }
    }

    private mutating func receive(
        link: Int,
        _ socket: UDPSocket,
        _ port: DHCPArrival.Port,
        into arrivals: inout [(link: Int, arrival: DHCPArrival)]
    ) {
        let interface = server.links[link].interface
        for _ in 0..<Self.batch {
            do {
                guard let (count, origin) = try socket.receiveWithoutWaiting(into: &buffer) else {
                    return
                }
                let message = try DHCPMessage(decoding: buffer.span.extracting(first: count))
                var addresses = interfaces.filter { $0.name == interface }.map(\.address)
                if let kernels = addresses.firstIndex(of: origin.local) { addresses.swapAt(0, kernels) }
                let arrival = DHCPArrival(
                    message: message,
                    port: port,
                    peer: origin.peer,
                    interface: interface,
                    addresses: addresses
                )
                arrivals.append((link, arrival))
            } catch let error as DHCPDecodingError {
                server.log.debug("malformed DHCP on \(interface): \(error)")
            } catch {
                server.log.error("DHCP on \(interface): \(error)")
                return
            }
        }
    }

    private mutating func answer(_ arrivals: [(link: Int, arrival: DHCPArrival)], now: Timestamp) {
        let fleet: Fleet?
        do {
            fleet = try server.configuration.fleet()
            fleetFailed = false
        } catch {
            // Better to go on with the fleet of a moment ago than to leave machines without an answer.
            if !fleetFailed { server.log.error("DHCP goes on with the fleet it knows: \(error)") }
            fleetFailed = true
            fleet = nil
        }
        let outcomes = server.engine.withLock { engine in
            if let fleet { engine.fleet = fleet }
            return arrivals.map { engine.handle($0.arrival, now: now) }
        }
        let isKept = keep(outcomes.flatMap(\.changes))
        // What promises a lease that is not kept must not leave; the client asks again.
        for (index, outcome) in outcomes.enumerated() where isKept || outcome.changes.isEmpty {
            for action in outcome.actions { perform(action, link: arrivals[index].link) }
        }
    }

    /// Commits the changes; false when the store does not take them.
    private mutating func keep(_ changes: [LeaseChange]) -> Bool {
        if changes.isEmpty { return true }
        do {
            try server.ports.leases.commit(Array(unkept.values) + changes)
            unkept = [:]
            return true
        } catch {
            for change in changes { unkept[change.address] = change }
            server.log.error("leases cannot be kept, so these requests stay unanswered: \(error)")
            return false
        }
    }

    private func perform(_ action: DHCPAction, link: Int) {
        switch action {
        case .send(let outgoing): send(outgoing, link: server.links[link])
        case .record(let event, let progress): server.ports.recorder.record(event, reached: progress)
        case .log(let level, let line): server.log.log(level: level, "\(line)")
        case .advertiseNoRouter: advertiseNoRouter(link: link)
        }
    }

    private func send(_ outgoing: DHCPOutgoing, link: DHCPLink) {
        let encoded = outgoing.message.encodeReply(limit: outgoing.limit)
        if !encoded.omitted.isEmpty {
            server.log.debug(
                "no room for option \(encoded.omitted.map(\.description).joined(separator: ", ")) in \(outgoing.limit) bytes"
            )
        }
        var destination = outgoing.destination
        if case .newClient(let address, let mac) = destination {
            do {
                try NeighborEntry.set(address, at: mac, interface: link.interface, through: link.dhcp)
            } catch {
                // Legal, and every known ROM takes it.
                server.log.debug("\(error): broadcasting instead")
                destination = .broadcast
            }
        }
        let socket = if case .sender = destination { link.bootServer } else { link.dhcp }
        do {
            try socket.send(encoded.bytes.span, to: destination.endpoint, from: outgoing.server)
        } catch {
            server.log.warning("DHCP reply to \(destination) on \(link.interface) was not sent: \(error)")
        }
    }

    // MARK: Router solicitations

    private mutating func answerSolicitations(link: Int, now: Timestamp) {
        guard let router = server.links[link].router else { return }
        for _ in 0..<Self.batch {
            guard let (count, source) = (try? router.receive(into: &buffer)) ?? nil else { return }
            let solicitation = try? RouterSolicitation(decoding: buffer.span.extracting(first: count))
            if count >= 8, buffer[0] == RouterAdvertisement.type {
                // A router with a lifetime: the network has IPv6, which is none of our business.
                if buffer[6] != 0 || buffer[7] != 0 { routerHeard[link] = now }
            } else if let mac = solicitation?.sender(source: source),
                server.engine.withLock({ $0.isBooting(mac, now: now) })
            {
                advertiseNoRouter(link: link)
            }
        }
    }

    /// Says that there is no router, unless one was heard within the half hour that RFC 4861 lets them keep silent.
    private func advertiseNoRouter(link: Int) {
        guard let router = server.links[link].router else { return }
        if let heard = routerHeard[link], server.ports.clock.now().seconds(since: heard) < 1800 { return }
        do {
            try router.sendToAllNodes(RouterAdvertisement.empty.encode())
        } catch {
            server.log.debug("\(error)")
        }
    }
}

extension LeaseChange {
    fileprivate var address: IPv4Address {
        switch self {
        case .set(let lease): lease.address
        case .remove(let address): address
        }
    }
}

extension Span<UInt8> {
    @_lifetime(copy self)
    fileprivate func extracting(first count: Int) -> Span<UInt8> { extracting(0..<Swift.min(count, self.count)) }
}
