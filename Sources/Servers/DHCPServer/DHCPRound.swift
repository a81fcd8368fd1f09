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
    /// Our addresses on each link.
    private var addresses: [[IPv4Address]] = []
    /// For how many microseconds the next question is awaited without sleeping.
    private(set) var awakeMicroseconds: Int64 = 0
    private var interfacesRead: Timestamp?
    private var fleetFailed = false
    /// When the next search for an address is over.
    private var nextSearchEnd: Timestamp?

    /// How many datagrams of one socket a round takes, so that the others have their turn.
    private static let batch = 512
    /// A client that was answered asks again at once, or not for seconds.
    private static let pause: Int64 = 60

    init(server: DHCPServer, committer: LeaseCommitter) {
        self.server = server
        self.committer = committer
    }

    /// Serves the sockets that have something, in the order of the links' descriptors.
    mutating func serve(_ readable: [Bool]) {
        let now = server.ports.clock.now()
        refreshInterfaces(now)
        var waiting: [LeaseCommitter.Work] = []
        var answered = 0
        var position = 0
        func isReadable() -> Bool {
            defer { position += 1 }
            return position < readable.count && readable[position]
        }
        var solicited: [Int] = []
        for (index, link) in server.links.enumerated() {
            if isReadable() { answered += answer(link: index, link.dhcp, .dhcp, now: now, &waiting) }
            if isReadable() { answered += answer(link: index, link.bootServer, .bootServer, now: now, &waiting) }
            if let watch = link.watch, isReadable() { listen(link: index, watch, now: now) }
            if link.router != nil, isReadable() { solicited.append(index) }
        }
        endSearches(now)
        // Not while the disk works: the thread that waits for it may need this processor.
        let isQuiet = waiting.isEmpty && committer.isIdle
        if !waiting.isEmpty { committer.add(waiting) }
        awakeMicroseconds = answered > 0 && isQuiet ? Self.pause : 0
        for index in solicited { answerSolicitations(link: index, now: now) }
    }

    /// Addresses may come late or change, so they are read again, but not for every packet of a storm.
    mutating func refreshInterfaces(_ now: Timestamp) {
        if let read = interfacesRead, (0..<2).contains(now.seconds(since: read)) { return }
        interfacesRead = now
        if let all = try? NetworkInterface.all() { interfaces = all }
        addresses = server.links.map { link in interfaces.filter { $0.name == link.interface }.map(\.address) }
    }

    /// Answers what has arrived on a socket, each message at once; how many there were.
    private mutating func answer(
        link: Int,
        _ socket: UDPSocket,
        _ port: DHCPArrival.Port,
        now: Timestamp,
        _ waiting: inout [LeaseCommitter.Work]
    ) -> Int {
        var fleet = fleetNow()
        for count in 0..<Self.batch {
            guard let arrival = receive(link: link, socket, port) else { return count }
            guard let arrival = arrival.value else { continue }
            let outcome = server.engine.withLock { engine in
                if let new = fleet.take() { engine.fleet = new }
                return engine.handle(arrival, now: now)
            }
            finish(outcome, link: link, &waiting)
        }
        return Self.batch
    }

    /// The fleet as it is now; nil when it cannot be had.
    private mutating func fleetNow() -> Fleet? {
        do {
            let fleet = try server.configuration.fleet()
            fleetFailed = false
            return fleet
        } catch {
            // Better to go on with the fleet of a moment ago than to leave machines without an answer.
            if !fleetFailed { server.log.error("DHCP goes on with the fleet it knows: \(error)") }
            fleetFailed = true
            return nil
        }
    }

    /// A datagram that was taken from a socket, with its message when it is one.
    private struct Received {
        var value: DHCPArrival?
    }

    /// The next datagram; nil when there is none.
    private mutating func receive(link: Int, _ socket: UDPSocket, _ port: DHCPArrival.Port) -> Received? {
        let interface = server.links[link].interface
        do {
            guard let (count, origin) = try socket.receiveWithoutWaiting(into: &buffer) else { return nil }
            let message = try DHCPMessage(decoding: buffer.span.extracting(first: count))
            var own = addresses[link]
            if let kernels = own.firstIndex(of: origin.local), kernels > 0 { own.swapAt(0, kernels) }
            let arrival = DHCPArrival(
                message: message,
                port: port,
                peer: origin.peer,
                interface: interface,
                addresses: own,
                canProbe: server.links[link].watch != nil
            )
            return Received(value: arrival)
        } catch let error as DHCPDecodingError {
            server.log.debug("malformed DHCP on \(interface): \(error)")
            return Received()
        } catch {
            server.log.error("DHCP on \(interface): \(error)")
            return nil
        }
    }

    /// Does at once what promises no lease; the rest is for the committer.
    private func finish(_ outcome: DHCPOutcome, link: Int, _ waiting: inout [LeaseCommitter.Work]) {
        if outcome.changes.isEmpty {
            for action in outcome.actions { server.perform(action, link: link) }
        } else {
            waiting.append(LeaseCommitter.Work(link: link, outcome: outcome))
        }
    }

    /// The same for outcomes that came of themselves.
    private func finish(_ outcomes: [(link: Int, outcome: DHCPOutcome)]) {
        var waiting: [LeaseCommitter.Work] = []
        for (link, outcome) in outcomes { finish(outcome, link: link, &waiting) }
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
