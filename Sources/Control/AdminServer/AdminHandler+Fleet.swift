import AdminAPI
import BootModel
import FleetFile
import HTTP1
import HTTPServer

extension AdminHandler {
    /// Makes the fleet what a file says, or tells what that would change.
    func apply(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let text = String(validating: request.body, as: UTF8.self) else {
            throw FleetFileError("the file is not UTF-8 text")
        }
        let options = request.head.queryItems
        let prune = options["prune"] == "1"
        let document = try FleetDocument(parsing: text)
        return Self.json(
            .ok,
            try change(isDry: options["dry-run"] == "1") { fleet in
                try document.apply(to: &fleet, prune: prune)
            }
        )
    }

    /// Changes the fleet, or tells what that would change.
    func change(isDry: Bool, _ body: (inout Fleet) throws -> [FleetChange]) throws -> ApplyReply {
        var changes: [FleetChange] = []
        do {
            // The dry run goes the way of the real one up to its end, so that it tells the same.
            try services.registry.update { fleet in
                changes = try body(&fleet)
                if isDry { throw DryRun() }
            }
        } catch is DryRun {}
        return ApplyReply(applied: !isDry, changes: changes.map(ApplyReply.Change.init))
    }

    /// Ends a change that was only to be looked at.
    private struct DryRun: Error {}

    /// Every node with its newest boot, as JSON or as lines.
    func nodes(_ request: HTTPRequest) throws -> HTTPResponse {
        let fleet = try services.registry.fleet()
        let context = try NodeContext(services, fleet: fleet)
        let names = fleet.nodes.keys.sorted()
        let summaries = names.lazy.compactMap { fleet.nodes[$0] }.map(context.summary)
        guard request.head.queryItems["lines"] == "1" else { return Self.json(.ok, Array(summaries)) }
        var text: [UInt8] = []
        for summary in summaries { NodeLine(summary).write(to: &text) }
        let type = HTTPField("Content-Type", "text/tab-separated-values; charset=utf-8")
        return HTTPResponse(.ok, fields: [type], body: .bytes(text))
    }

    /// Everything about one node.
    func node(_ name: NodeName) throws -> HTTPResponse {
        let fleet = try services.registry.fleet()
        guard let node = fleet.nodes[name] else { throw unknown(name, in: fleet) }
        let context = try NodeContext(services, fleet: fleet, only: node)
        let reply = NodeReply(
            node: context.summary(node),
            uuid: node.uuid,
            reservation: node.address,
            lease: context.lease(of: node),
            settings: SettingLine.lines(context.settings(of: node)),
            profileChain: context.settings(of: node).profiles.map(\.words)
        )
        return Self.json(.ok, reply)
    }

    /// Adds a node; one of that name must not exist.
    func addNode(_ request: HTTPRequest) throws -> HTTPResponse {
        let draft: NodeDraft = try Self.decode(request)
        try services.registry.update { fleet in
            guard fleet.nodes[draft.name] == nil else {
                throw AdminRefusal(
                    .conflict,
                    "node \(draft.name) exists already: change it with 'diskless apply', or remove it first"
                )
            }
            // Said of the new node, which the person is typing, and not of the one whose name sorts later.
            for mac in draft.macs {
                guard let owner = fleet.node(mac: mac) else { continue }
                throw AdminRefusal(.conflict, "node \(draft.name): mac \(mac) belongs to node \(owner.name) already")
            }
            fleet.set(
                Node(
                    name: draft.name,
                    macs: draft.macs,
                    address: draft.address,
                    profiles: draft.profiles,
                    settings: Settings(image: draft.image, via: draft.via, writes: draft.writes)
                )
            )
        }
        let fleet = try services.registry.fleet()
        guard let node = fleet.nodes[draft.name] else { throw unknown(draft.name, in: fleet) }
        return Self.json(.created, try NodeContext(services, fleet: fleet, only: node).summary(node))
    }

    /// Removes a node.
    func removeNode(_ name: NodeName) throws -> HTTPResponse {
        try services.registry.update { fleet in
            guard fleet.nodes[name] != nil else { throw unknown(name, in: fleet) }
            fleet.remove(name)
        }
        return HTTPResponse(.noContent)
    }

    func unknown(_ name: NodeName, in fleet: Fleet) -> AdminRefusal {
        let nearest = NearestName.of(name.text, among: fleet.nodes.keys.lazy.map(\.text))
        let mend = nearest.map { "did you mean \($0)?" } ?? "see 'diskless node list'"
        return AdminRefusal(.notFound, "there is no node \(name); \(mend)")
    }
}

extension ApplyReply.Change {
    /// From a difference.
    init(_ change: FleetChange) {
        let action =
            switch change.action {
            case .add: "add"
            case .change: "change"
            case .remove: "remove"
            }
        self.init(action: action, kind: change.kind, name: change.name, details: change.details, line: change.line)
    }
}
