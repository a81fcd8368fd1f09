import AdminAPI
import BootModel
import BootModelConformance
import HTTP1
import HTTPServer
import NetworkTypes
import Testing

@testable import AdminServer

@Suite("The admin API when something is wrong", .timeLimit(.minutes(5)))
struct AdminFailureTests {
    @Test("a failing store is one clear line for every request")
    func failingStore() throws {
        let server = try RunningServer(FailingRegistry())
        let client = server.client
        let name = NodeName(checked: "a")
        let calls: [() throws -> Void] = [
            { _ = try client.status() }, { _ = try client.fleetFile() }, { _ = try client.apply("nodes: []") },
            { _ = try client.nodes() }, { _ = try client.node(name) }, { try client.remove(name) },
            { _ = try client.add(NodeDraft(name: name, macs: [Sample.mac(1)])) }, { _ = try client.boots() },
            { _ = try client.leases() }, { _ = try client.explain(Sample.mac(1)) },
        ]
        for call in calls {
            let problem = #expect(throws: AdminProblem.self) { try call() }
            #expect(problem?.error == "the server failed: registry.sqlite: disk I/O error")
        }
    }

    @Test("no server is one line that says where it was looked for and how to start it")
    func notRunning() {
        let error = #expect(throws: AdminClientError.self) {
            _ = try AdminClient(socketPath: "/nonexistent/admin.sock").status()
        }
        #expect(error?.description.contains("/nonexistent/admin.sock") == true)
        #expect(error?.description.contains("diskless serve") == true)
    }

    @Test(
        "requests that make no sense are refused",
        arguments: [
            ("GET", "/", "the admin API has no /"), ("GET", "/v1/nothing", "the admin API has no /v1/nothing"),
            ("GET", "/v1/nodes/a/b", "the admin API has no /v1/nodes/a/b"),
            ("DELETE", "/v1/fleet", "only GET, POST here"),
            ("POST", "/v1/status", "only GET here"), ("POST", "/v1/nodes", "The given data was not valid JSON."),
            ("GET", "/v1/nodes/-", "\"-\" is not a node name"),
            ("GET", "/v1/boots?limit=0", "limit \"0\" is not a number"),
            ("GET", "/v1/boots?node=..", "\"..\" is not a node name"),
            ("GET", "/v1/explain", "\"\" is not a MAC address"),
            ("GET", "/v1/explain?mac=x", "\"x\" is not a MAC address"), ("POST", "/v1/fleet", "the file is empty"),
        ]
    )
    func nonsense(_ method: String, _ target: String, _ start: String) throws {
        let server = try RunningServer(InMemoryRegistry())
        let problem = #expect(throws: AdminProblem.self) { _ = try server.client.request(method, target) }
        #expect(problem?.error.hasPrefix(start) == true, "\(problem?.error ?? "")")
    }

    @Test("others than root and the server's own user are turned away")
    func peers() throws {
        let store = InMemoryRegistry()
        let handler = AdminHandler(
            AdminServices(
                registry: store,
                leases: store,
                log: store,
                planning: FakePlanning(store: store),
                clock: FixedClock(),
                facts: {
                    ServerFacts(
                        version: "",
                        process: 0,
                        started: Sample.time,
                        stateDirectory: "",
                        networks: [],
                        listeners: []
                    )
                }
            )
        )
        let bytes = Array("GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let head = try #require(try HTTPRequestParser.parse(bytes.span)).head
        let strangers: [HTTPPeer] = [
            .process(id: 2, user: 65534), .network(Endpoint(IPv4Address(127, 0, 0, 1), 4000)),
        ]
        for peer in strangers {
            #expect(handler.respond(to: HTTPRequest(head: head, peer: peer)).status == .forbidden)
        }
        #expect(handler.respond(to: HTTPRequest(head: head, peer: .process(id: 2, user: 0))).status == .ok)
    }
}
