import BootModel
import NodeAgent
import Testing

@Suite("What an agent tells")
struct ReportTests {
    private func report(_ text: String) -> AgentReport {
        AgentReport(Array(text.utf8), seen: Timestamp(microseconds: 0), boot: BootIdentifier(random: 1, 2))
    }

    @Test func figuresAreRead() {
        let told = report("load 0.5\nuptime 7\nmemory 100 40\nroot 200 3\nkernel 6.1.0-39\nusers -\nnew thing\n")
            .condition
        #expect(told.load == 0.5 && told.uptime == 7 && told.kernel == "6.1.0-39")
        #expect(told.memory == 100 && told.memoryAvailable == 40 && told.root == 200 && told.rootUsed == 3)
    }

    @Test(arguments: [
        "root -1 -1", "root 9223372036854775807 9223372036854775807", "load nan", "load -1", "uptime", "load",
    ])
    func figuresWithoutSenseAreLeftOut(line: String) {
        let told = report(line + "\n").condition
        #expect(told.root == nil && told.rootUsed == nil && told.load == nil && told.uptime == nil)
    }

    /// Found by the fuzzer: a terminal would have obeyed it.
    @Test func aKernelsNameIsPrintable() {
        #expect(report("kernel 6.1\u{1b}[2J\u{5}x\n").condition.kernel == "6.1[2Jx")
        #expect(report("kernel \(String(repeating: "k", count: 300))\n").condition.kernel?.count == 64)
    }
}
