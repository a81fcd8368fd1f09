import NFS4
import Testing

@Suite("NFS version 4: restarts of the server, and version 4.0's owners")
struct RecoveryTests {
    private func reclaim(_ bench: Bench, _ client: UInt64) -> NFS4Status {
        bench.state.mayOpen(client, reclaims: true)
    }

    @Test("Who is recorded may reclaim during the grace; nobody opens anew before it is over")
    func grace() throws {
        let bench = Bench()
        _ = try #require(bench.client("a"))
        let recorded = bench.state.takeActions().compactMap { action -> [UInt8]? in
            if case .record(let owner) = action { return owner }
            return nil
        }
        #expect(recorded.count == 1)
        let next = Bench(recorded: recorded, epoch: 10)
        #expect(next.state.isInGrace)
        let (known, _) = try #require(next.client("a", reclaims: true))
        let (stranger, _) = try #require(next.client("b", reclaims: true))
        #expect(reclaim(next, known) == .ok)
        #expect(reclaim(next, stranger) == .reclaimBad)
        #expect(next.state.mayOpen(known, reclaims: false) == .grace)
        #expect(next.state.reclaimComplete(known, oneFileSystem: false) == .ok)
        #expect(!next.state.isInGrace)
        #expect(reclaim(next, known) == .noGrace)
        #expect(next.state.mayOpen(known, reclaims: false) == .ok)
        #expect(next.state.reclaimComplete(known, oneFileSystem: false) == .completeAlready)
    }

    @Test("The grace ends by itself, and who did not come back may not reclaim the next time")
    func graceEnds() throws {
        let bench = Bench(recorded: [Array("\u{1}gone".utf8), Array("\u{1}back".utf8)])
        let (back, _) = try #require(bench.client("back", reclaims: true))
        for _ in 0..<10 { bench.pass(seconds: 10) }
        #expect(!bench.state.isInGrace)
        #expect(bench.state.takeActions().contains(.erase(Array("\u{1}gone".utf8))))
        #expect(!bench.state.takeActions().contains(.erase(Array("\u{1}back".utf8))))
        #expect(bench.state.mayOpen(back, reclaims: true) == .noGrace)
    }

    @Test("A stop forgets who has nothing to reclaim, and keeps who has, or has not reclaimed yet")
    func stop() throws {
        let bench = Bench(recorded: [Array("\u{1}late".utf8)])
        _ = try #require(bench.client("late", reclaims: true))
        let next = Bench()
        let (busy, _) = try #require(next.client("busy"))
        _ = try #require(next.client("idle"))
        _ = try next.open(busy).get()
        for bench in [bench, next] {
            _ = bench.state.takeActions()
            bench.state.forgetIdleClients()
        }
        #expect(bench.state.takeActions().isEmpty)
        #expect(next.state.takeActions() == [.erase(Array("\u{1}idle".utf8))])
        #expect(next.state.clientCount == 1)
    }

    @Test("States of an earlier run are told from wrong ones")
    func epochs() throws {
        let old = Bench(epoch: 9)
        let id = try #require(old.oldClient("a"))
        let stateid = NFS4Stateid(sequence: 1, epoch: 8, number: 1)
        #expect(old.state.beginTurn(stateid, 1, now: old.now) == .refused(.staleStateid))
        let wrong = NFS4Stateid(sequence: 1, epoch: 9, number: 77)
        #expect(old.state.beginTurn(wrong, 1, now: old.now) == .refused(.badStateid))
        #expect(old.state.renew(id, now: old.now) == .ok)
        #expect(old.state.renew(id ^ 1 << 40, now: old.now) == .staleClient)
    }

    @Test("An owner of version 4.0 counts its operations: once more is answered from memory, a gap is refused")
    func owners() throws {
        let bench = Bench()
        let id = try #require(bench.oldClient("a"))
        let owner = Array("owner".utf8)
        guard case .go(let turn) = bench.state.beginOpen(id, owner, 7, now: bench.now) else { throw Unexpected() }
        let opened = try bench.open(id).get()
        #expect(opened.needsConfirmation)
        bench.state.endTurn(turn, 7, .ok, reply: [0, 0, 0, 0])
        #expect(bench.state.beginOpen(id, owner, 7, now: bench.now) == .replay([0, 0, 0, 0]))
        guard case .go = bench.state.beginTurn(opened.stateid, 8, now: bench.now) else { throw Unexpected() }
        let confirmed = try bench.state.confirmOpen(opened.stateid, Bench.file).get()
        bench.state.endTurn(turn, 8, .ok, reply: [1])
        #expect(bench.state.beginTurn(confirmed, 10, now: bench.now) == .refused(.badSequence))
        guard case .go = bench.state.beginTurn(confirmed, 9, now: bench.now) else { throw Unexpected() }
        _ = try bench.state.close(confirmed, Bench.file, client: nil, sequence: 9).get()
        bench.state.endTurn(turn, 9, .ok, reply: [2])
        #expect(bench.state.beginTurn(confirmed, 9, now: bench.now) == .replay([2]))
    }

    @Test("An operation of version 4.0 that was told to wait counts, and comes again with the next number")
    func waitingCounts() throws {
        let bench = Bench()
        let id = try #require(bench.oldClient("a"))
        let owner = Array("owner".utf8)
        guard case .go(let turn) = bench.state.beginOpen(id, owner, 1, now: bench.now) else { throw Unexpected() }
        let opened = try bench.open(id).get()
        bench.state.endTurn(turn, 1, .ok, reply: [1])
        guard case .go = bench.state.beginTurn(opened.stateid, 2, now: bench.now) else { throw Unexpected() }
        _ = try bench.state.confirmOpen(opened.stateid, Bench.file).get()
        bench.state.endTurn(turn, 2, .ok, reply: [2])
        // Only what RFC 7530, section 9.1.7, names leaves the number as it was.
        for (number, status) in [(3, .delay), (4, .grace), (5, .denied), (6, .shareDenied)] as [(UInt32, NFS4Status)] {
            guard case .go = bench.state.beginOpen(id, owner, number, now: bench.now) else { throw Unexpected() }
            bench.state.endTurn(turn, number, status, reply: [UInt8(number)])
            #expect(bench.state.beginOpen(id, owner, number, now: bench.now) == .replay([UInt8(number)]))
        }
        for status in [.resource, .badStateid, .staleClient, .noHandle, .moved] as [NFS4Status] {
            guard case .go = bench.state.beginOpen(id, owner, 7, now: bench.now) else { throw Unexpected() }
            bench.state.endTurn(turn, 7, status, reply: [7])
        }
        guard case .go = bench.state.beginOpen(id, owner, 7, now: bench.now) else { throw Unexpected() }
    }

    @Test("Without a way back to its client there is no delegation")
    func unreachable() throws {
        let bench = Bench()
        let id = try #require(bench.oldClient("a"))
        #expect(try bench.open(id, wish: .any).get().delegation == nil)
        let (other, _) = try #require(bench.client("b"))
        let file = NFS4FileKey(export: 1, file: 9)
        bench.state.connectionEnded(bench.connection)
        #expect(try bench.open(other, wish: .any, file: file).get().delegation == nil)
    }
}
