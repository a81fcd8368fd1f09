import NFS4
import Testing

@Suite("NFS version 4: asking the holder of a write delegation")
struct InquiryTests {
    private let held = NFS4HeldAttributes(change: 701, size: 12)

    /// Two clients, the first of which has a write delegation of the file, whose change attribute was 700.
    private func delegated(
        _ bench: Bench,
        keepsTimes: Bool = false
    ) throws -> (holder: UInt64, asker: UInt64, NFS4Grant) {
        let (holder, _) = try #require(bench.client("holder"))
        let (asker, _) = try #require(bench.client("asker"))
        var request = NFS4OpenRequest(client: holder, owner: [1], file: Bench.file, access: 3, deny: 0)
        request.change = 700
        request.wouldKeepTimes = keepsTimes
        request.handle = [7, 7]
        let grant = try #require(try bench.state.open(request, now: bench.now).get().delegation)
        #expect(grant.isWrite && grant.keepsTimes == keepsTimes)
        _ = bench.state.takeActions()
        return (holder, asker, grant)
    }

    private func ask(_ bench: Bench, _ client: UInt64?) -> NFS4Knowledge {
        bench.state.ask(Bench.file, for: client, now: bench.now)
    }

    private func asked(_ bench: Bench, _ client: UInt64?) throws -> NFS4Inquiry {
        guard case .asked(let inquiry) = ask(bench, client) else { throw Unexpected() }
        return inquiry
    }

    private func outcome(_ bench: Bench, _ inquiry: NFS4Inquiry, _ client: UInt64) -> NFS4Knowledge {
        bench.state.outcome(of: inquiry, for: client, now: bench.now)
    }

    private func isRecalled(_ bench: Bench, _ grant: NFS4Grant) -> Bool {
        bench.state.takeActions().contains { action in
            if case .recall(let recall) = action { return recall.stateid == grant.stateid }
            return false
        }
    }

    @Test("The holder is asked once, and its answer told with the number that it was given", arguments: [false, true])
    func answer(keepsTimes: Bool) throws {
        let bench = Bench()
        let (holder, asker, grant) = try delegated(bench, keepsTimes: keepsTimes)
        #expect(ask(bench, holder) == .own)
        let inquiry = try asked(bench, asker)
        #expect(inquiry.client == holder && inquiry.stateid == grant.stateid && inquiry.handle == [7, 7])
        #expect(inquiry.asksTimes == keepsTimes)
        #expect(bench.state.takeActions() == [.inquire(inquiry)])
        #expect(outcome(bench, inquiry, asker) == .asked(inquiry))
        #expect(bench.state.isAwaited(inquiry))
        bench.state.answered(inquiry, held, now: bench.now)
        #expect(!bench.state.isAwaited(inquiry))
        #expect(outcome(bench, inquiry, asker) == .held(held, given: 700))
        // What it says now may be something else later.
        #expect(try asked(bench, asker) != inquiry)
        #expect(!isRecalled(bench, grant))
    }

    @Test("Two who ask at once share one question and one answer, and are told numbers that go on")
    func twoAskers() throws {
        let bench = Bench()
        let (_, asker, _) = try delegated(bench)
        let (third, _) = try #require(bench.client("third"))
        let inquiry = try asked(bench, asker)
        #expect(try asked(bench, third) == inquiry)
        #expect(bench.state.takeActions().filter { $0 == .inquire(inquiry) }.count == 1)
        bench.state.answered(inquiry, held, now: bench.now)
        for client in [asker, third] { #expect(outcome(bench, inquiry, client) == .held(held, given: 700)) }
        #expect(bench.state.changeToTell(Bench.file, own: 700, isModified: false) == 700)
        #expect(bench.state.changeToTell(Bench.file, own: 700, isModified: true) == 701)
        #expect(bench.state.changeToTell(Bench.file, own: 700, isModified: true) == 702)
        #expect(bench.state.changeToTell(Bench.file, own: 700, isModified: false) == 702)
        #expect(bench.state.changeToTell(Bench.file, own: 900, isModified: true) == 900)
        #expect(bench.state.changeToTell(NFS4FileKey(export: 1, file: 8), own: 5, isModified: true) == 5)
    }

    @Test("A silent holder is recalled at the deadline, and not asked about anything else until it is heard of")
    func silence() throws {
        let bench = Bench()
        let (holder, asker, grant) = try delegated(bench)
        let other = NFS4FileKey(export: 1, file: 8)
        let second = try #require(try bench.open(holder, access: 2, wish: .any, file: other).get().delegation)
        let inquiry = try asked(bench, asker)
        bench.now = inquiry.deadline - 1
        #expect(outcome(bench, inquiry, asker) == .asked(inquiry))
        #expect(!isRecalled(bench, grant))
        bench.now += 1
        #expect(outcome(bench, inquiry, asker) == .recalled)
        #expect(isRecalled(bench, grant))
        #expect(!bench.state.isAwaited(inquiry))
        #expect(bench.state.ask(other, for: asker, now: bench.now) == .recalled)
        #expect(isRecalled(bench, second))
        // Too late: of no use to whoever asked, but there is somebody.
        bench.state.answered(inquiry, held, now: bench.now)
        #expect(outcome(bench, inquiry, asker) == .recalled)
        let third = NFS4FileKey(export: 1, file: 9)
        _ = try #require(try bench.open(holder, access: 2, wish: .any, file: third).get().delegation)
        guard case .asked = bench.state.ask(third, for: asker, now: bench.now) else { throw Unexpected() }
    }

    @Test("Who asks when a deadline has passed unseen does not wait for that answer")
    func forgottenQuestion() throws {
        let bench = Bench()
        let (_, asker, grant) = try delegated(bench)
        let inquiry = try asked(bench, asker)
        bench.now = inquiry.deadline
        #expect(ask(bench, asker) == .recalled)
        #expect(isRecalled(bench, grant))
    }

    @Test("A holder that answers nonsense, or cannot be asked, is recalled at once")
    func nonsense() throws {
        let bench = Bench()
        let (_, asker, grant) = try delegated(bench)
        let inquiry = try asked(bench, asker)
        bench.state.answered(inquiry, nil, now: bench.now)
        #expect(isRecalled(bench, grant))
        #expect(outcome(bench, inquiry, asker) == .recalled)
        #expect(ask(bench, asker) == .recalled)
        #expect(!isRecalled(bench, grant))
    }

    @Test("A delegation that comes back meanwhile leaves the server's own attributes, or the next holder's")
    func returned() throws {
        let bench = Bench()
        let (holder, asker, grant) = try delegated(bench)
        let inquiry = try asked(bench, asker)
        #expect(bench.state.giveBack(grant.stateid, Bench.file, client: holder) == .ok)
        #expect(outcome(bench, inquiry, asker) == .own)
        bench.state.answered(inquiry, held, now: bench.now)
        #expect(outcome(bench, inquiry, asker) == .own)
        _ = try #require(try bench.open(holder, access: 3, wish: .any).get().delegation)
        guard case .asked(let next) = outcome(bench, inquiry, asker) else { throw Unexpected() }
        bench.state.answered(inquiry, held, now: bench.now)
        #expect(outcome(bench, next, asker) == .asked(next))
    }

    @Test("Somebody who needs the file meanwhile has it recalled, and the question answered by waiting")
    func recalledMeanwhile() throws {
        let bench = Bench()
        let (_, asker, grant) = try delegated(bench)
        let inquiry = try asked(bench, asker)
        #expect(bench.open(asker, access: 2) == .failure(.delay))
        #expect(isRecalled(bench, grant))
        #expect(outcome(bench, inquiry, asker) == .recalled)
        bench.state.answered(inquiry, held, now: bench.now)
        #expect(ask(bench, asker) == .recalled)
    }

    @Test("A holder without a way to it is recalled; one whose lease is over is not waited for")
    func unreachable() throws {
        let bench = Bench()
        let (holder, asker, grant) = try delegated(bench)
        bench.state.connectionEnded(2)
        #expect(ask(bench, asker) == .recalled)
        #expect(isRecalled(bench, grant))
        let next = Bench()
        let (_, _, silent) = try delegated(next)
        next.pass(seconds: 61)
        let (late, _) = try #require(next.client("late"))
        #expect(ask(next, late) == .own)
        #expect(next.state.test(silent.stateid, client: holder) == .badStateid)
    }

    @Test("A read delegation, or none, leaves it to the server")
    func nothingToAsk() throws {
        let bench = Bench()
        let (holder, _) = try #require(bench.client("holder"))
        let (asker, _) = try #require(bench.client("asker"))
        #expect(ask(bench, asker) == .own)
        _ = try #require(try bench.open(holder, access: 1, wish: .any).get().delegation)
        #expect(ask(bench, asker) == .own)
        #expect(ask(bench, nil) == .own)
    }

    @Test("Only the holder that keeps the times may set them")
    func times() throws {
        for keeps in [true, false] {
            let bench = Bench()
            let (holder, asker, grant) = try delegated(bench, keepsTimes: keeps)
            let status = bench.state.keepsTimes(grant.stateid, Bench.file, client: holder)
            #expect(status == (keeps ? .ok : .badStateid))
            #expect(bench.state.keepsTimes(grant.stateid, Bench.file, client: asker) == .badStateid)
            let open = try bench.open(holder, "again", access: 1).get().stateid
            #expect(bench.state.keepsTimes(open, Bench.file, client: holder) == .badStateid)
        }
    }

    @Test(
        "Wishes are obeyed, and a refusal says why",
        arguments: [
            (3, .any, true, nil), (3, .read, false, nil), (3, .write, true, nil), (1, .any, false, nil),
            (1, .write, nil, .resource), (3, .none, nil, .notWanted), (3, .cancel, nil, .cancelled),
        ] as [(UInt32, NFS4DelegationWish, Bool?, NFS4NoDelegation?)]
    )
    func wishes(access: UInt32, wish: NFS4DelegationWish, isWrite: Bool?, refusal: NFS4NoDelegation?) throws {
        let bench = Bench()
        let (id, _) = try #require(bench.client("a"))
        let opened = try bench.open(id, access: access, wish: wish).get()
        #expect(opened.delegation?.isWrite == isWrite)
        #expect(opened.refusal == refusal)
    }

    @Test("A second wish does not change what is held, and others are in the way")
    func secondWish() throws {
        let bench = Bench()
        let (id, _) = try #require(bench.client("a"))
        let read = try #require(try bench.open(id, access: 3, wish: .read).get().delegation)
        #expect(try bench.open(id, access: 3, wish: .write).get().refusal == .noUpgrade)
        #expect(bench.state.giveBack(read.stateid, Bench.file, client: id) == .ok)
        _ = try #require(try bench.open(id, access: 3, wish: .write).get().delegation)
        #expect(try bench.open(id, access: 3, wish: .read).get().refusal == .noDowngrade)
        let (other, _) = try #require(bench.client("b"))
        let file = NFS4FileKey(export: 1, file: 8)
        _ = try bench.open(other, access: 2, file: file).get()
        #expect(try bench.open(id, access: 1, wish: .any, file: file).get().refusal == .contention)
    }

    @Test(
        "Wishes on the wire",
        arguments: [
            (0, .any), (0x100, .read), (0x200, .write), (0x300, .any), (0x400, .some(.none)), (0x500, .cancel),
            (0x10_0201, .write), (0x600, nil), (0xff00, nil),
        ] as [(UInt32, NFS4DelegationWish?)]
    )
    func wireWishes(access: UInt32, wish: NFS4DelegationWish?) { #expect(NFS4DelegationWish(access: access) == wish) }
}
