import AdminAPI
import BootModel
import BootModelConformance
import Testing

/// The list of nodes as lines says what the list as JSON says.
@Suite struct NodeLineTests {
    @Test func linesSayWhatTheSummariesSay() throws {
        let store = InMemoryRegistry()
        try store.update { $0 = try Sample.fleet(nodes: 12) }
        var failed = Sample.boot(1)
        failed.node = Sample.node(3).name
        failed.progress = .kernel
        failed.up = nil
        failed.failure = "a\tb\nc"
        store.save(failed)
        let server = try RunningServer(store)
        defer { server.stop() }
        let summaries = try server.client.nodes()
        let lines = try server.client.nodeLines()
        #expect(summaries.count == 12 && lines.count == 12)
        for (summary, line) in zip(summaries, lines) {
            var wanted = NodeLine(summary)
            wanted.boot = wanted.boot.replacing("\t", with: " ").replacing("\n", with: " ")
            #expect(line == wanted)
        }
        #expect(lines.first { $0.name == "node3" }?.boot == "failed: a b c")
    }

    @Test func otherBytesAreNoLines() {
        #expect(NodeLine.lines(Array("a\tb\n".utf8)) == nil)
        #expect(NodeLine.lines([]) == [])
    }
}
