import NFS4
import NetworkTypes
import Testing
import XDR

@Suite("NFS version 4: who waits for a lock is told when it may be free")
struct WaiterTests {
    private let bench: Bench

    init() { bench = Bench() }

    private init(limits: NFS4Limits) { bench = Bench(limits: limits) }

    /// Asks for a lock as a client does that waits for it.
    private func wait(
        _ client: UInt64,
        _ open: NFS4Stateid,
        _ owner: String,
        _ offset: UInt64 = 0,
        _ length: UInt64 = 10,
        isWrite: Bool = true
    ) -> NFS4LockOutcome {
        bench.state.lock(
            NFS4LockRequest(
                owner: .new(open: open, client: client, name: Array(owner.utf8), sequence: 0),
                file: Bench.file,
                offset: offset,
                length: length,
                isWrite: isWrite,
                isWaiting: true,
                client: client
            ),
            now: bench.now
        )
    }

    private func opened(_ name: String) throws -> (id: UInt64, open: NFS4Stateid) {
        let (client, _) = try #require(bench.client(name))
        return (client, try bench.open(client, access: 3).get().stateid)
    }

    /// The owners that are told, in order.
    private func told() -> [String] {
        bench.state.takeActions().compactMap { action in
            if case .notify(let notice) = action { String(decoding: notice.owner, as: UTF8.self) } else { nil }
        }
    }

    private func held(_ outcome: NFS4LockOutcome) throws -> NFS4Stateid {
        guard case .done(let stateid) = outcome else { throw Unexpected() }
        return stateid
    }

    private func isDenied(_ outcome: NFS4LockOutcome) -> Bool {
        if case .denied = outcome { true } else { false }
    }

    @discardableResult private func unlock(
        _ stateid: NFS4Stateid,
        _ client: UInt64,
        _ offset: UInt64 = 0,
        _ length: UInt64 = 10
    ) throws -> NFS4Stateid {
        try held(bench.state.unlock(stateid, Bench.file, offset: offset, length: length, client: client))
    }

    @Test("Everybody who could have it now is told, once, and nobody else")
    func unlocked() throws {
        let (a, b) = (try opened("a"), try opened("b"))
        var held = try held(bench.lock(a.id, a.open, "holder", 0, 10))
        #expect(isDenied(wait(b.id, b.open, "low", 0, 2)))
        #expect(isDenied(wait(b.id, b.open, "high", 8, 5)))
        #expect(isDenied(wait(b.id, b.open, "all")))
        #expect(isDenied(bench.lock(b.id, b.open, "asks once", 0, 10)))
        #expect(told() == [])
        held = try unlock(held, a.id, 0, 5)
        #expect(told() == ["low"])
        held = try unlock(held, a.id)
        #expect(told() == ["high", "all"])
        try unlock(held, a.id)
        #expect(told() == [])
    }

    @Test("Who is refused again goes on waiting; who has it, does not")
    func again() throws {
        let (a, b) = (try opened("a"), try opened("b"))
        var held = try held(bench.lock(a.id, a.open, "holder", 0, 10))
        for _ in 0..<3 { #expect(isDenied(wait(b.id, b.open, "waits"))) }
        try unlock(held, a.id)
        #expect(told() == ["waits"])
        held = try self.held(bench.lock(a.id, a.open, "holder", 0, 10))
        #expect(isDenied(wait(b.id, b.open, "waits")))
        try unlock(held, a.id)
        let own = try self.held(wait(b.id, b.open, "waits"))
        #expect(told() == ["waits"])
        try unlock(own, b.id)
        #expect(told() == [])
    }

    @Test("Readers are told when a writer reads")
    func downgraded() throws {
        let (a, b) = (try opened("a"), try opened("b"))
        let held = try held(bench.lock(a.id, a.open, "holder", 0, 10))
        #expect(isDenied(wait(b.id, b.open, "reads", isWrite: false)))
        #expect(isDenied(wait(b.id, b.open, "writes")))
        let request = NFS4LockRequest(
            owner: .known(held),
            file: Bench.file,
            offset: 0,
            length: 10,
            isWrite: false,
            client: a.id
        )
        _ = try self.held(bench.state.lock(request, now: bench.now))
        #expect(told() == ["reads"])
    }

    @Test("A close lets go, and so does the end of a client or of its lease")
    func ended() throws {
        let b = try opened("b")
        for end in ["close", "destroy", "lease"] {
            let a = try opened("a-\(end)")
            _ = try held(bench.lock(a.id, a.open, "holder", 0, 10))
            #expect(isDenied(wait(b.id, b.open, end)))
            #expect(told() == [])
            switch end {
            case "close": _ = bench.state.close(a.open, Bench.file, client: a.id, sequence: 0)
            case "destroy": _ = bench.client("a-\(end)", verifier: 2)
            default:
                bench.pass(seconds: 40)
                _ = bench.state.renew(b.id, now: bench.now)
                bench.pass(seconds: 40)
            }
            #expect(told() == [end])
        }
    }

    @Test("There is room for so many, and all of it is given back")
    func limits() throws {
        var limits = NFS4Limits()
        limits.waiters = 2
        let test = WaiterTests(limits: limits)
        let bench = test.bench
        let (a, b) = (try test.opened("a"), try test.opened("b"))
        let held = try test.held(bench.lock(a.id, a.open, "holder", 0, 10))
        for owner in ["1", "2", "3"] { #expect(test.isDenied(test.wait(b.id, b.open, owner))) }
        try test.unlock(held, a.id)
        #expect(test.told() == ["1", "2"])
        _ = try test.held(bench.lock(a.id, a.open, "holder", 0, 10))
        for owner in ["1", "2"] { #expect(test.isDenied(test.wait(b.id, b.open, owner))) }
        bench.state.forget(export: Bench.file.export)
        #expect(test.told() == ["1", "2"])
    }

    @Test("CB_NOTIFY_LOCK as RFC 8881 writes it")
    func wire() {
        let notice = NFS4LockNotice(client: 1 << 32 | 2, owner: [0xab, 0xcd], handle: [0xde, 0xad, 0xbe])
        var memory = [UInt8](repeating: 0xa5, count: 256)
        let count = unsafe memory.withUnsafeMutableBytes { room in
            var writer = unsafe XDRWriter(unsafely: room)
            NFS4Callback.notify(notice, identifier: 8, session: nil, into: &writer)
            return writer.count
        }
        // The empty tag, minor version, identifier, one operation; its number, the handle, the client, the owner.
        let words: [UInt32] = [0, 0, 8, 1, 13, 3, 0xdead_be00, 1, 2, 2, 0xabcd_0000]
        let wanted = words.flatMap { word in unsafe withUnsafeBytes(of: word.bigEndian, Array.init) }
        #expect(Array(memory[..<count]) == wanted)
    }
}
