import Testing
import VirtualLab

/// A node whose writes lie in memory, and that swaps to the server.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct SwapMatrixTests {
    /// More is written than the node has memory, and read again, while the server is killed: what reaches it anew must not
    /// need the memory that only it can free.
    @Test(.timeLimit(.minutes(40)), arguments: Repository.whole(["swap"]))
    func anOverlayLargerThanMemoryOutlivesTheServer(row: String) throws {
        let fleet = TreeRootTests.fleet("rita", "swap: 2G, root: {via: nbd, writes: ram}")
        let lab = try EndToEndLab(row, images: [.ram], fleet: fleet)
        defer { lab.lab.close() }
        let rita = try lab.node("rita", number: 1)
        try rita.machine.powerOn()
        try rita.login()
        let memory = try #require(Int(try rita.run("awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo")))
        try rita.run(
            "(head -c \(memory + 200)M /dev/urandom | tee /root/large | sha256sum >/run/sum; echo $? >/run/code) </dev/null &"
        )
        try rita.run(Self.until("[ $\(Self.swapped) -gt 50 ] || [ -e /run/code ]"), limit: .seconds(600))
        #expect(try rita.run("[ -e /run/code ] && echo ended || echo writes") == "writes")
        try rita.restartServer(lab)
        try rita.run(Self.until("[ -e /run/code ]"), limit: .seconds(600))
        #expect(try rita.run("cat /run/code") == "0")
        let swapped = try #require(Int(try rita.run("echo $\(Self.swapped)")))
        #expect(swapped > 300, "\(swapped) MiB of swap are used")
        try rita.run("rm /run/code")
        try rita.run("(sha256sum </root/large | cmp - /run/sum; echo $? >/run/code) </dev/null &")
        try rita.restartServer(lab)
        try rita.run(Self.until("[ -e /run/code ]"), limit: .seconds(600))
        #expect(try rita.run("cat /run/code") == "0")
        #expect(
            try rita.run("dmesg | grep -iE 'out of memory|oom-kill|page allocation failure|swap.*error' || true") == ""
        )
        #expect(try rita.rootErrors() == "")
        #expect(try lab.server.boots(of: "rita").count == 1)
    }

    /// How much of the swap is used, in MiB, as an arithmetic expansion of the shell without its dollar.
    private static let swapped =
        "((($(awk '/^SwapTotal/ { t = $2 } /^SwapFree/ { print t - $2 }' /proc/meminfo)) / 1024))"

    private static func until(_ condition: String) -> String { "while ! { \(condition); }; do sleep 0.5; done" }
}
