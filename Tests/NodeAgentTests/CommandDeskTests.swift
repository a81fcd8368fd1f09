import BootModel
import NodeAgent
import Testing

private func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }

@Suite("The commands of nodes")
struct CommandDeskTests {
    private let megane = NodeName(checked: "megane")
    private let twingo = NodeName(checked: "twingo")
    private let boot = BootIdentifier(random: 1, 2)

    private func order(_ words: String..., limit: Int = 100) -> CommandOrder {
        CommandOrder(nodes: [megane], action: .run, command: words, seconds: 5, outputLimit: limit)
    }

    @Test func aCommandIsTakenOnceAndEnds() throws {
        var desk = CommandDesk(first: 7)
        try desk.place(order("uptime"), of: 1, on: megane, now: time(0))
        #expect(desk.hasWork(for: megane) && !desk.hasWork(for: twingo))
        #expect(desk.take(for: twingo, boot: boot, now: time(1)).isEmpty)
        let job = try #require(desk.take(for: megane, boot: boot, now: time(1)).first)
        #expect(job.id == 8 && job.script == "uptime\n")
        #expect(desk.take(for: megane, boot: boot, now: time(1)).isEmpty)
        // Another node neither reads nor ends it.
        #expect(desk.job(job.id, of: twingo) == nil && desk.finish(job.id, of: twingo) == nil)
        #expect(desk.receive([1], .out, at: 0, of: job.id, from: twingo) == .refused)
        #expect(desk.finish(job.id, of: megane)?.order == 1)
        #expect(desk.finish(job.id, of: megane) == nil && desk.count == 0)
    }

    @Test func outputComesOnceAndWithinItsLimit() throws {
        var desk = CommandDesk()
        try desk.place(order("x", limit: 5), of: 1, on: megane, now: time(0))
        #expect(desk.receive([1], .out, at: 0, of: 1, from: megane) == .refused, "nobody has taken it")
        _ = desk.take(for: megane, boot: boot, now: time(0))
        #expect(desk.receive([1, 2], .out, at: 0, of: 1, from: megane) == .new([1, 2]))
        // The reply was lost: the piece comes again, and has grown.
        #expect(desk.receive([1, 2], .out, at: 0, of: 1, from: megane) == .known)
        #expect(desk.receive([1, 2, 3], .out, at: 0, of: 1, from: megane) == .new([3]))
        #expect(desk.receive([9], .out, at: 4, of: 1, from: megane) == .refused, "a piece is missing")
        #expect(desk.receive([9], .out, at: -1, of: 1, from: megane) == .refused)
        #expect(desk.receive([4, 5, 6, 7], .out, at: 3, of: 1, from: megane) == .new([4, 5]))
        #expect(desk.receive([8], .out, at: 5, of: 1, from: megane) == .known)
        #expect(desk.receive([1], .err, at: 0, of: 1, from: megane) == .new([1]))
    }

    @Test func isBounded() throws {
        var desk = CommandDesk()
        for _ in 0..<CommandDesk.jobsOfOne { try desk.place(order("x"), of: 1, on: megane, now: time(0)) }
        #expect(throws: CommandRefusal.self) { try desk.place(order("x"), of: 1, on: megane, now: time(0)) }
        try desk.place(order("x"), of: 2, on: twingo, now: time(0))
        desk.cancel(order: 1)
        #expect(desk.count == 1)
        var number = 0
        #expect(throws: CommandRefusal.self) {
            while true {
                number += 1
                let name = NodeName(checked: "n\(number / CommandDesk.jobsOfOne)")
                try desk.place(order("x"), of: 3, on: name, now: time(0))
            }
        }
        #expect(desk.count == CommandDesk.jobsInAll)
    }

    @Test func nothingWaitsForEver() throws {
        var desk = CommandDesk()
        try desk.place(order("x"), of: 1, on: megane, now: time(0))
        try desk.place(order("x"), of: 2, on: twingo, now: time(0))
        _ = desk.take(for: megane, boot: boot, now: time(10))
        #expect(desk.expire(now: time(29)).isEmpty)
        #expect(desk.expire(now: time(31)).map(\.job.node) == [twingo])
        #expect(desk.expire(now: time(74)).isEmpty)
        #expect(desk.expire(now: time(76)).map(\.job.node) == [megane])
    }

    @Test func aNodeThatStartsAgainLosesWhatItHadTaken() throws {
        var desk = CommandDesk()
        try desk.place(order("x"), of: 1, on: megane, now: time(0))
        _ = desk.take(for: megane, boot: boot, now: time(0))
        try desk.place(order("y"), of: 2, on: megane, now: time(0))
        #expect(desk.restarted(megane, boot: boot).isEmpty)
        #expect(desk.restarted(megane, boot: BootIdentifier(random: 3, 4)).map(\.order) == [1])
        #expect(desk.count == 1)
    }

    @Test func commandsAreQuoted() {
        #expect(order("ps aux | wc -l").script == "ps aux | wc -l\n")
        #expect(order("echo", "it's", "$HOME; rm").script == "'echo' 'it'\\''s' '$HOME; rm'\n")
        #expect(order("x").problem == nil)
        #expect(order().problem != nil && order("").problem != nil && order("a\0b").problem != nil)
        #expect(order(String(repeating: "x", count: 70_000)).problem?.contains("64") == false)
        #expect(CommandOrder(nodes: [], action: .reboot).problem == "no node is named")
        #expect(CommandOrder(nodes: [megane], action: .run, command: ["x"], seconds: 0).problem != nil)
    }

    @Test func reportsOfAgents() {
        let text =
            "load 0.25 x\nuptime 12\nmemory 1000 400\nroot 500 -3\nkernel 6.1.0\nusers abc\nnew thing\nload\n\u{7}"
        let report = AgentReport(Array(text.utf8), seen: time(1), boot: boot)
        #expect(
            report.condition.load == 0.25 && report.condition.uptime == 12 && report.condition.memoryAvailable == 400
        )
        #expect(report.condition.root == 500 && report.condition.rootUsed == nil && report.accounts == "abc")
        #expect(AgentReport(Array("load nan\nload inf\nusers -".utf8), seen: time(1), boot: boot).condition.load == nil)
        for _ in 0..<2000 {
            let bytes = (0..<200).map { _ in UInt8.random(in: 0...255) }
            #expect(AgentReport(bytes, seen: time(1), boot: boot).condition.seen == time(1))
        }
    }
}
