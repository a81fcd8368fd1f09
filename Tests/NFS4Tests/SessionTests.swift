import NFS4
import Testing

@Suite("NFS version 4: clients, sessions and slots")
struct SessionTests {
    private func begin(
        _ bench: Bench,
        _ session: NFS4SessionID,
        _ sequence: UInt32,
        slot: UInt32 = 0,
        print: UInt64 = 5
    ) -> NFS4State.SequenceOutcome {
        let call = NFS4SequenceCall(session: session, sequence: sequence, slot: slot, highestSlot: 0, keepsReply: true)
        return bench.state.beginRequest(
            call,
            connection: 1,
            length: 100,
            operations: 2,
            print: print,
            now: bench.now
        )
    }

    private func end(_ bench: Bench, _ session: NFS4SessionID, _ sequence: UInt32, reply: [UInt8]?) {
        let call = NFS4SequenceCall(session: session, sequence: sequence, slot: 0, highestSlot: 0, keepsReply: true)
        bench.state.endRequest(call, reply: reply)
    }

    @Test("A request that comes again gets the reply of the first time, and is done once")
    func replay() throws {
        let bench = Bench()
        let (_, session) = try #require(bench.client("a"))
        guard case .go = begin(bench, session, 1) else { throw Unexpected() }
        #expect(begin(bench, session, 1) == .refused(.delay))
        end(bench, session, 1, reply: [1, 2, 3])
        #expect(begin(bench, session, 1) == .replay([1, 2, 3]))
        #expect(begin(bench, session, 1, print: 6) == .refused(.sequenceFalseRetry))
        #expect(begin(bench, session, 3) == .refused(.sequenceMisordered))
        guard case .go = begin(bench, session, 2) else { throw Unexpected() }
        end(bench, session, 2, reply: nil)
        #expect(begin(bench, session, 2) == .refused(.retryUncachedRep))
    }

    @Test("Slots count by themselves, and there are as many as were granted")
    func slots() throws {
        let bench = Bench()
        let (_, session) = try #require(bench.client("a"))
        guard case .go = begin(bench, session, 1, slot: 3), case .go = begin(bench, session, 1, slot: 2) else {
            throw Unexpected()
        }
        #expect(begin(bench, session, 1, slot: 4) == .refused(.badSlot))
        #expect(begin(bench, NFS4SessionID(client: 1, number: 1), 1) == .refused(.badSession))
    }

    @Test("A request whose effects were lost may come again")
    func forgotten() throws {
        let bench = Bench()
        let (_, session) = try #require(bench.client("a"))
        guard case .go = begin(bench, session, 1) else { throw Unexpected() }
        end(bench, session, 1, reply: [1])
        let call = NFS4SequenceCall(session: session, sequence: 1, slot: 0, highestSlot: 0, keepsReply: true)
        bench.state.forgetRequest(call)
        guard case .go = begin(bench, session, 1) else { throw Unexpected() }
    }

    @Test("CREATE_SESSION that comes again makes no second session")
    func createTwice() throws {
        let bench = Bench()
        guard
            case .success(let client) = bench.state.exchangeID(
                Bench.exchange("a"),
                principal: Bench.principal,
                from: Bench.address,
                minor: 1,
                now: bench.now
            )
        else { throw Unexpected() }
        let call = NFS4CreateSessionCall(
            client: client.client,
            sequence: client.sequence,
            flags: 0,
            fore: Bench.channel(),
            back: Bench.channel(),
            program: 1,
            security: NFS4CallbackSecurity()
        )
        let first = bench.state.createSession(call, principal: Bench.principal, connection: 1, minor: 1, now: bench.now)
        let again = bench.state.createSession(call, principal: Bench.principal, connection: 1, minor: 1, now: bench.now)
        #expect(try first.get() == again.get())
        var later = call
        later.sequence += 2
        #expect(
            bench.state.createSession(later, principal: Bench.principal, connection: 1, minor: 1, now: bench.now)
                == .failure(.sequenceMisordered)
        )
    }

    @Test("Who knows one session cannot guess the next")
    func numbers() throws {
        let bench = Bench()
        let numbers = try (1...8).map { try #require(bench.client("client \($0)")).1.number }
        let steps = zip(numbers, numbers.dropFirst()).map { $1 &- $0 }
        #expect(Set(steps).count == steps.count)
        #expect(Set(numbers.map { $0 >> 32 }).count > 1)
    }

    @Test("A client that starts anew loses what it had as soon as it is confirmed, not before")
    func restart() throws {
        let bench = Bench()
        let (old, _) = try #require(bench.client("a", verifier: 1))
        let open = try bench.open(old, access: 1).get()
        let again = bench.state.exchangeID(
            Bench.exchange("a", verifier: 2),
            principal: Bench.principal,
            from: Bench.address,
            minor: 1,
            now: bench.now
        )
        #expect(try again.get().client != old)
        #expect(bench.state.test(open.stateid, client: old) == .ok)
        _ = try #require(bench.client("a", verifier: 3))
        #expect(bench.state.test(open.stateid, client: old) == .badStateid)
        #expect(bench.state.clientCount == 1)
    }

    @Test("A name that is in use by somebody else is refused")
    func inUse() throws {
        let bench = Bench()
        let (id, _) = try #require(bench.client("a"))
        _ = try bench.open(id).get()
        let other = NFS4Principal(flavor: 1, user: 1000)
        #expect(
            bench.state.exchangeID(
                Bench.exchange("a", verifier: 2),
                principal: other,
                from: Bench.address,
                minor: 1,
                now: bench.now
            ) == .failure(.clientInUse)
        )
    }

    @Test("Clients, sessions and slots have limits")
    func limits() throws {
        var limits = NFS4Limits()
        limits.clients = 3
        limits.sessions = 2
        let bench = Bench(limits: limits)
        let (first, _) = try #require(bench.client("a"))
        _ = try bench.open(first).get()
        for name in ["b", "c", "d", "e"] { _ = bench.client(name) }
        #expect(bench.state.clientCount <= 3)
        _ = bench.client("a")
        #expect(bench.client("a") == nil)
    }
}

struct Unexpected: Error {}
