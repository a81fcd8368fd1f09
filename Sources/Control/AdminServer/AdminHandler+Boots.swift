import AdminAPI
import BootModel
import HTTP1
import HTTPServer

extension AdminHandler {
    /// Most boots that one reply has.
    private static let bootLimit = 1000

    /// What is running.
    func status() throws -> HTTPResponse {
        let fleet = try services.registry.fleet()
        let now = services.clock.now()
        let bound = try services.leases.leases().count { $0.state == .bound && $0.expires > now }
        let context = try NodeContext(services, fleet: fleet)
        let boots = context.newestBoots.map { BootRecord($0) }
        return Self.json(
            .ok,
            StatusReply(server: services.facts(), nodes: fleet.nodes.count, leases: bound, boots: boots)
        )
    }

    /// The newest boots with their events.
    func boots(_ request: HTTPRequest) throws -> HTTPResponse {
        let options = request.head.queryItems
        let node = try options["node"].map { try NodeName(validating: $0) }
        guard let limit = Int(options["limit"] ?? "20"), limit > 0 else {
            throw AdminRefusal(.badRequest, "limit \"\(options["limit"] ?? "")\" is not a number above 0")
        }
        let boots = try services.log.boots(of: node, limit: min(limit, Self.bootLimit))
        if boots.isEmpty, let node {
            let fleet = try services.registry.fleet()
            // A machine that nobody has named has boots too, under the name made of its hardware address.
            if fleet.nodes[node] == nil { throw unknown(node, in: fleet) }
        }
        return Self.json(.ok, try boots.map { BootRecord($0, events: try services.log.events(of: $0.id)) })
    }

    /// Events as they happen, one JSON object a line.
    ///
    /// An empty line comes first, once nothing will be missed any more.
    func watch(_ request: HTTPRequest) throws -> HTTPResponse {
        let node = try request.head.queryItems["node"].map { try NodeName(validating: $0) }
        let log = services.log
        return HTTPResponse(
            .ok,
            fields: [HTTPField("Content-Type", "application/x-ndjson")],
            body: .stream { stream in
                let mailbox = EventMailbox()
                let observation = log.observe { (event: BootEvent) in
                    if node == nil || event.node == node { mailbox.put(event) }
                }
                defer { observation.cancel() }
                try stream.send("\n")
                var starts = BootStarts(log)
                while stream.isOpen {
                    for event in mailbox.take(waitingSeconds: 1) {
                        let record = EventRecord(event, started: starts.start(of: event))
                        guard case .bytes(let line) = Self.json(.ok, record).body else { continue }
                        try stream.send(line)
                    }
                }
            }
        )
    }
}

/// When boots began, for the offsets of their events.
private struct BootStarts {
    private let log: any EventLog
    private var known: [BootIdentifier: Timestamp] = [:]

    init(_ log: any EventLog) { self.log = log }

    mutating func start(of event: BootEvent) -> Timestamp? {
        guard let boot = event.boot else { return nil }
        if let start = known[boot] { return start }
        if known.count > 10_000 { known = [:] }
        let boots = (try? log.boots(of: event.node, limit: 5)) ?? []
        // An event may be told before its boot is kept: then it is the boot's first.
        let start = boots.first { $0.id == boot }?.started ?? event.time
        known[boot] = start
        return start
    }
}
