import BootModel
import DHCP
import Logging
import NeighborDiscovery
import NetworkIO
import NetworkTypes
import Synchronization

/// One round of the server's thread: receive all, answer, hand over what must be kept first.
struct DHCPRound: ~Copyable {
    private let server: DHCPServer
    private let committer: LeaseCommitter
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var interfaces: [NetworkInterface] = []
    private var interfacesRead: Timestamp?
    private var fleetFailed = false
    /// When the next search for an address is over.
    private var nextSearchEnd: Timestamp?

    /// How many datagrams of one socket a round takes, so that the others have their turn.
    private static let batch = 512

    init(server: DHCPServer, committer: LeaseCommitter) {
        self.server = server
        self.committer = committer
    }

    /// Serves the sockets that have something, in the order of the links' descriptors.
    mutating func serve(_ readable: [Bool]) {
        let now = server.ports.clock.now()
        refreshInterfaces(now)
        var arrivals: [(link: Int, arrival: DHCPArrival)] = []
        var position = 0
        func isReadable() -> Bool {
            defer { position += 1 }
            return position < readable.count && readable[position]
        }
        var solicited: [Int] = []
        for (index, link) in server.links.enumerated() {
            if isReadable() { receive(link: index, link.dhcp, .dhcp, into: &arrivals) }
            if isReadable() { receive(link: index, link.bootServer, .bootServer, into: &arrivals) }
            if let watch = link.watch, isReadable() { listen(link: index, watch, now: now) }
            if link.router != nil, isReadable() { solicited.append(index) }
        }
        if !arrivals.isEmpty { answer(arrivals, now: now) }
        endSearches(now)
        for index in solicited { answerSolicitations(link: index, now: now) }
    }

    /// Addresses may come late or change, so they are read again, but not for every packet of a storm.
    mutating func refreshInterfaces(_ now: Timestamp) {
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
                    addresses: addresses,
                    canProbe: server.links[link].watch != nil
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
        finish(zip(arrivals, outcomes).map { ($0.link, $1) })
    }

    /// Does at once what promises no lease; hands the rest to the committer.
    private func finish(_ outcomes: [(link: Int, outcome: DHCPOutcome)]) {
        var waiting: [LeaseCommitter.Work] = []
        for (link, outcome) in outcomes {
            if outcome.changes.isEmpty {
                for action in outcome.actions { server.perform(action, link: link) }
            } else {
                waiting.append(LeaseCommitter.Work(link: link, outcome: outcome))
            }
        }
        if !waiting.isEmpty { committer.add(waiting) }
    }

    // MARK: The wire

    /// Sends the offers whose addresses nobody claimed in time.
    private mutating func endSearches(_ now: Timestamp) {
        let (ended, next) = server.engine.withLock { engine in
            (engine.nextSearchEnd.map { $0 <= now } == true ? engine.endSearches(now: now) : [], engine.nextSearchEnd)
        }
        nextSearchEnd = next
        finish(ended.map { (link(of: $0.arrival), $0.outcome) })
    }

    /// How long the server may sleep, in milliseconds; -1 when nothing waits.
    func milliseconds(now: Timestamp) -> CInt {
        guard let nextSearchEnd else { return -1 }
        return CInt(max(0, min(1000, (nextSearchEnd.seconds(since: now) * 1000).rounded(.up))))
    }

    private func link(of arrival: DHCPArrival) -> Int {
        server.links.firstIndex { $0.interface == arrival.interface } ?? 0
    }

    private mutating func listen(link: Int, _ watch: LinkWatch, now: Timestamp) {
        let interface = server.links[link].interface
        for _ in 0..<Self.batch {
            switch watch.receive(into: &buffer) {
            case nil: return
            case .arp(let mac, let address)?:
                guard nextSearchEnd != nil else { continue }
                if let (_, outcome) = server.engine.withLock({ $0.heard(mac, has: address, now: now) }) {
                    finish([(link, outcome)])
                }
            case .reply(let from, let mac, let payload)?:
                guard let message = try? DHCPMessage(decoding: payload.span) else { continue }
                let own = interfaces.map(\.address)
                let actions = server.engine.withLock {
                    $0.overheard(message, from: from, mac: mac, interface: interface, own: own, now: now)
                }
                for action in actions { server.perform(action, link: link) }
            }
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
                if buffer[6] != 0 || buffer[7] != 0 { server.routerHeard.withLock { $0[link] = now } }
            } else if let mac = solicitation?.sender(source: source),
                server.engine.withLock({ $0.isBooting(mac, now: now) })
            {
                server.advertiseNoRouter(link: link)
            }
        }
    }
}

extension Span<UInt8> {
    @_lifetime(copy self)
    fileprivate func extracting(first count: Int) -> Span<UInt8> { extracting(0..<Swift.min(count, self.count)) }
}
