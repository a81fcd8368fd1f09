import NFS4
import NetworkTypes
import Testing

@Suite("NFS version 4: room for the clients of all addresses")
struct RoomTests {
    private static func address(_ last: UInt32) -> IPv4Address { IPv4Address(value: 0x0a00_0000 | last) }

    /// How many of `count` new clients of an address are taken in.
    private func crowd(_ bench: Bench, _ count: Int, from last: UInt32) -> [UInt64] {
        (0..<count).compactMap { bench.client("\(last)-\(bench.connection)-\($0)", from: Self.address(last))?.id }
    }

    private func session(
        _ bench: Bench,
        _ name: String,
        from last: UInt32,
        slots: UInt32 = 64
    ) -> Result<NFS4CreateSessionReply, NFS4Status> {
        let client = bench.state.exchangeID(
            Bench.exchange(name),
            principal: Bench.principal,
            from: Self.address(last),
            minor: 1,
            now: bench.now
        )
        return client.flatMap { client in
            let call = NFS4CreateSessionCall(
                client: client.client,
                sequence: client.sequence,
                flags: 0,
                fore: Bench.channel(slots: slots),
                back: Bench.channel(),
                program: 1,
                security: NFS4CallbackSecurity()
            )
            return bench.state.createSession(
                call,
                principal: Bench.principal,
                connection: 1,
                minor: 1,
                now: bench.now
            )
        }
    }

    @Test("Clients of one address that are alive keep nobody else out")
    func share() {
        var limits = NFS4Limits()
        (limits.clients, limits.clientsPerAddress) = (8, 5)
        let bench = Bench(limits: limits)
        #expect(crowd(bench, 20, from: 1).count == 5)
        #expect(crowd(bench, 3, from: 2).count == 3)
        #expect(bench.oldClient("old", from: Self.address(1)) == nil)
    }

    @Test("When all is taken, who has the most gives way to who has less, but for what is open")
    func greedy() throws {
        var limits = NFS4Limits()
        (limits.clients, limits.clientsPerAddress) = (8, 6)
        let bench = Bench(limits: limits)
        let first = crowd(bench, 6, from: 1)
        _ = try bench.open(first[0]).get()
        let second = crowd(bench, 2, from: 2)
        #expect(crowd(bench, 10, from: 3).count == 3)
        #expect(first.count { bench.state.hasClient($0) } == 3)
        #expect(bench.state.hasClient(first[0]))
        #expect(second.allSatisfy { bench.state.hasClient($0) })
        #expect(bench.state.clientCount == 8)
    }

    @Test("Nobody who is alive goes for the sake of who has as much")
    func equals() {
        var limits = NFS4Limits()
        limits.clients = 8
        let bench = Bench(limits: limits)
        let all = (1...8).flatMap { crowd(bench, 1, from: $0) }
        #expect(crowd(bench, 1, from: 9).isEmpty)
        #expect(all.allSatisfy { bench.state.hasClient($0) })
    }

    @Test("At the limit of an address those go first that have nothing to lose, and at last those that are silent")
    func order() throws {
        var limits = NFS4Limits()
        limits.clientsPerAddress = 4
        let bench = Bench(limits: limits)
        let open = try #require(bench.oldClient("open"))
        _ = try bench.open(open).get()
        let gone = try #require(bench.oldClient("gone"))
        let idle = try #require(bench.oldClient("idle"))
        bench.pass(seconds: 70)
        #expect(bench.state.renew(idle, now: bench.now) == .ok)
        let (alive, _) = try #require(bench.client("alive"))
        for (name, expected) in [("a", gone), ("b", idle), ("c", open)] {
            #expect(bench.state.hasClient(expected))
            let (id, _) = try #require(bench.client(name))
            #expect(!bench.state.hasClient(expected), "\(name)")
            _ = try bench.open(id).get()
        }
        #expect(bench.client("d") == nil)
        #expect(bench.state.hasClient(alive))
    }

    @Test("What the clients of one address have open leaves room for what others open")
    func opens() throws {
        var limits = NFS4Limits()
        (limits.states, limits.allStates) = (100, 256)
        let bench = Bench(limits: limits)
        func fill(from last: UInt32) throws -> [Int] {
            let clients = crowd(bench, 4, from: last)
            try #require(clients.count == 4)
            return clients.map { client in (0..<120).count { (try? bench.open(client, "\($0)").get()) != nil } }
        }
        #expect(try fill(from: 1) == [100, 29, 0, 0])
        #expect(try fill(from: 2) == [64, 0, 0, 0])
        #expect(try fill(from: 3) == [32, 0, 0, 0])
        // Where one has little, it gets what it wants while there is any.
        let (other, _) = try #require(bench.client("other", from: Self.address(4)))
        #expect((0..<16).count { (try? bench.open(other, "\($0)").get()) != nil } == 16)
    }

    @Test("Replies that are kept have a limit for all; the greediest address loses sessions to others")
    func replies() throws {
        var limits = NFS4Limits()
        limits.keptReplies = 1 << 20
        let bench = Bench(limits: limits)
        var kept = 0
        var counts: [Int] = []
        for last in 1...2 as ClosedRange<UInt32> {
            var made: [NFS4ChannelLimits] = []
            while case .success(let reply) = session(bench, "\(last)-\(made.count)", from: last), made.count < 1000 {
                made.append(reply.fore)
            }
            #expect(session(bench, "\(last)-more", from: last) == .failure(.delay))
            #expect(made.allSatisfy { $0.slots >= 4 && $0.cachedReply >= 1024 })
            kept += made.reduce(0) { $0 + Int($1.slots * $1.cachedReply) }
            counts.append(made.count)
        }
        #expect(kept <= 1 << 20 && counts[0] == counts[1] && counts[0] > 50, "\(kept) \(counts)")
        #expect(try session(bench, "3", from: 3).get().fore.slots >= 4)
    }

    @Test("Sessions get what they ask for while there is plenty, and less when there is not")
    func plenty() throws {
        let bench = Bench()
        let first = try session(bench, "first", from: 1).get().fore
        #expect(first.slots == 64 && first.cachedReply == bench.state.limits.cachedReply)
        let all = try (2...4000).map { try session(bench, "\($0)", from: $0).get().fore }
        #expect(all[999].slots == 64 && all[999].cachedReply >= 1024)
        #expect(all.allSatisfy { $0.slots >= 4 && $0.cachedReply >= 1024 })
        #expect(all.reduce(0) { $0 + Int($1.slots * $1.cachedReply) } < bench.state.limits.keptReplies)
    }

    @Test("A session that is destroyed gives back what it might have kept")
    func destroyed() throws {
        var limits = NFS4Limits()
        limits.keptReplies = 1 << 20
        let bench = Bench(limits: limits)
        for round in 0..<1000 {
            let made = try session(bench, "one", from: 1).get()
            #expect(bench.state.destroySession(made.session, connection: 1) == .ok, "\(round)")
        }
        #expect(bench.state.keptReplies == 0)
    }

    @Test("A reply that is longer than was promised is not kept")
    func long() throws {
        let bench = Bench()
        let made = try session(bench, "a", from: 1).get()
        let call = NFS4SequenceCall(session: made.session, sequence: 1, slot: 0, highestSlot: 0, keepsReply: true)
        func begin() -> NFS4State.SequenceOutcome {
            bench.state.beginRequest(call, connection: 1, length: 100, operations: 2, print: 5, now: bench.now)
        }
        guard case .go = begin() else { throw Unexpected() }
        bench.state.endRequest(call, reply: Array(repeating: 0, count: Int(made.fore.cachedReply) + 1))
        #expect(begin() == .refused(.retryUncachedRep))
    }

    @Test("Owners whose first OPEN is refused leave nothing")
    func owners() throws {
        let bench = Bench()
        let id = try #require(bench.oldClient("a"))
        for number in 0..<100 as Range<UInt32> {
            guard case .go(let turn) = bench.state.beginOpen(id, Array("\(number)".utf8), 1, now: bench.now) else {
                throw Unexpected()
            }
            bench.state.endTurn(turn, 1, .noEntry, reply: [0, 0, 0, 2])
        }
        #expect(bench.state.ownerCount == 0)
    }
}
