import AdminAPI
import BootModel
import BootModelConformance
import FleetFile
import NetworkTypes
import Synchronization
import Testing

@Suite("The admin API over its socket", .timeLimit(.minutes(5)))
struct AdminAPITests {
    private let store = InMemoryRegistry()

    @Test("export and apply are a round trip; a dry run changes nothing")
    func applyAndExport() throws {
        let server = try RunningServer(store)
        let fleet = try Sample.fleet(nodes: 12)
        let dry = try server.client.apply(fleet.fleetFile, dryRun: true)
        #expect(!dry.applied && dry.changes.count == 14)
        #expect(store.fleet() == Fleet())
        let reply = try server.client.apply(fleet.fleetFile)
        #expect(reply.applied && reply.changes == dry.changes)
        #expect(store.fleet() == fleet)
        #expect(try server.client.fleetFile() == fleet.fleetFile)
        #expect(try server.client.apply(server.client.fleetFile(), prune: true).changes.isEmpty)
        let pruned = try server.client.apply("nodes: []", prune: true)
        #expect(pruned.changes.count == 12 && pruned.changes.allSatisfy { $0.action == "remove" })
        #expect(store.fleet().nodes.isEmpty && store.fleet().networks.count == 1)
    }

    @Test("who is told of a change finds the servers following it; who only reads does not wait for them")
    func changesAreFollowed() throws {
        let followed = Mutex<[Int]>([])
        let server = try RunningServer(
            store,
            awaitFollowers: { [store] in
                followed.withLock { $0.append(store.fleet().nodes.count) }
            }
        )
        _ = try server.client.apply(Sample.fleet(nodes: 12).fleetFile)
        #expect(followed.withLock { $0 } == [12])
        #expect(try server.client.nodes().count == 12)
        #expect(followed.withLock { $0 } == [12])
        _ = try server.client.apply("nodes: []", prune: true)
        #expect(followed.withLock { $0 } == [12, 0])
    }

    @Test("a wrong file is refused with its lines, and nothing is applied")
    func wrongFile() throws {
        let server = try RunningServer(store)
        let text = "nodes:\n  - {name: a, mac: 525400000001}\n  - {name: b, mac: 52:54:00:00:00:01, adress: 1.2.3.4}\n"
        let problem = #expect(throws: AdminProblem.self) { try server.client.apply(text) }
        #expect(
            problem?.lines(file: "fleet.yaml") == [
                "fleet.yaml:3:39: unknown key \"adress\" of a node; did you mean \"address\"?"
            ]
        )
        #expect(store.fleet() == Fleet())
        let deep = #expect(throws: AdminProblem.self) {
            try server.client.apply("nodes: " + String(repeating: "[", count: 1_000_000))
        }
        #expect(deep?.problems.count == 1)
        // As deep as the reader goes: a connection's thread must have the stack for it.
        let deepest =
            (0...32).map { String(repeating: " ", count: 2 * $0) + "a:\n" }.joined()
            + String(repeating: " ", count: 64)
            + String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(throws: AdminProblem.self) { try server.client.apply(deepest) }
        #expect(try server.client.nodes().isEmpty)
    }

    @Test("files applied at once happen one after the other")
    func concurrentApplies() async throws {
        let server = try RunningServer(store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let profile = "profiles: [{name: p\(number)}]"
                    let reply = try server.client.apply(profile)
                    #expect(reply.changes.count == 1)
                }
            }
            try await group.waitForAll()
        }
        #expect(store.fleet().profiles.count == 16)
    }

    @Test("nodes are added, listed, shown and removed")
    func nodes() throws {
        let server = try RunningServer(store)
        try store.update { fleet in
            fleet.set(try Sample.network())
            fleet.set(Sample.profile("default"))
        }
        let name = NodeName(checked: "megane")
        let draft = NodeDraft(name: name, macs: [Sample.mac(1)], writes: .ram)
        #expect(try server.client.add(draft).name == name)
        store.commit([.set(Sample.lease(1)), .set(Sample.lease(2))])
        var lease = Sample.lease(4)
        lease.mac = Sample.mac(1)
        store.commit([.set(lease)])
        let list = try server.client.nodes()
        #expect(list.map(\.name) == [name])
        #expect(list.first?.address == lease.address)
        let shown = try server.client.node(name)
        #expect(shown.lease?.address == lease.address && shown.reservation == nil)
        #expect(
            shown.settings.map { "\($0.key) \($0.value) \($0.source)" } == [
                "image debian@7 profile default", "root.via nbd profile default", "root.writes ram node",
                "kernel-arguments quiet a=\"b c\" profile default", "files base built in",
            ]
        )
        var problem = #expect(throws: AdminProblem.self) { try server.client.add(draft) }
        #expect(problem?.error.contains("exists already") == true)
        problem = #expect(throws: AdminProblem.self) {
            try server.client.add(NodeDraft(name: NodeName(checked: "other"), macs: [Sample.mac(1)]))
        }
        #expect(problem?.error.contains("belongs to node megane already") == true)
        problem = #expect(throws: AdminProblem.self) { try server.client.node(NodeName(checked: "megan")) }
        #expect(problem?.error == "there is no node megan; did you mean megane?")
        try server.client.remove(name)
        #expect(throws: AdminProblem.self) { try server.client.remove(name) }
        #expect(try server.client.nodes().isEmpty)
    }

    @Test("boots come with their timelines")
    func boots() throws {
        let server = try RunningServer(store)
        var boot = Sample.boot(1)
        boot.progress = .up
        store.save(boot)
        for number in 0..<3 { store.append(Sample.event(boot, number)) }
        let up = BootEvent(
            time: boot.started.advanced(bySeconds: 21.3),
            boot: boot.id,
            node: boot.node,
            mac: boot.mac,
            kind: .up
        )
        store.append(up)
        let records = try server.client.boots(of: boot.node, limit: 5)
        let record = try #require(records.first)
        #expect(records.count == 1 && record.state == "up" && record.upAfter == 21.3)
        #expect(record.events?.map(\.offset) == [0, 1, 2, 21.3])
        #expect(record.events?.first?.text == "sent the kernel, 14.2 MB in 0.40 s")
        #expect(record.events?.last?.text == "up after 21.3 s")
        #expect(throws: AdminProblem.self) { try server.client.boots(of: NodeName(checked: "nobody")) }
        let status = try server.client.status()
        #expect(status.server.version == "0.0.0" && status.boots.map(\.node) == [boot.node])
    }

    @Test("a watch misses nothing once it is ready, and ends with the server")
    func watch() throws {
        let server = try RunningServer(store)
        let boot = Sample.boot(1)
        store.save(boot)
        var seen: [EventRecord] = []
        try server.client.watch(
            node: boot.node,
            ready: {
                for number in 0..<200 {
                    store.append(Sample.event(boot, number))
                    store.append(Sample.event(Sample.boot(2, node: "other"), number))
                }
            },
            { event in
                seen.append(event)
                return seen.count < 200
            }
        )
        #expect(seen.map(\.offset) == (0..<200).map(Double.init))
        #expect(throws: AdminClientError.self) {
            try server.client.watch(ready: { server.stop() }, { _ in true })
        }
    }

    @Test("explain tells what and why")
    func explain() throws {
        let network = try Sample.network()
        let server = try RunningServer(store, networks: [network])
        try store.update { $0 = Fleet(networks: [network], profiles: [Sample.profile()], nodes: [Sample.node(1)]) }
        let explanation = try server.client.explain(Sample.mac(2), architecture: .x64EFI)
        #expect(explanation.node == Sample.node(1).name && explanation.isKnown && explanation.boots)
        #expect(explanation.address == Sample.node(1).address)
        #expect(
            explanation.steps.map(\.bootFile) == [
                "snponly.efi", "http://10.0.0.1:8067/boot/52-54-00-00-00-02/script.ipxe",
            ]
        )
        #expect(explanation.steps.allSatisfy { !$0.reasons.isEmpty })
        #expect(explanation.image?.description == "debian@7")
        let unknown = try server.client.explain(MACAddress(value: 1))
        #expect(!unknown.isKnown && !unknown.boots)
        #expect(unknown.steps.first?.refusal?.contains("unknown-nodes: address-only") == true)
        let problem = #expect(throws: AdminProblem.self) {
            _ = try server.client.request("GET", "/v1/explain?mac=52-54-00-00-00-02&arch=x64-ef")
        }
        #expect(problem?.error == "\"x64-ef\" is not an architecture; did you mean x64-efi?")
    }
}
