import CLinux
import FileTree
import Locking
import Logging
import NFS4
import Synchronization

/// What all connections share for NFS version 4: the state of the clients, and what must outlive the server.
final class NFS4Service: Sendable {
    private let state: UnfairLock<NFS4State>
    private let records: ClientRecords?
    private let threads: OwnRightsThreads
    private let actions: Mutex<[NFS4Action]>
    private let wake: @Sendable () -> Void
    private let delegates = Atomic(false)
    private let grace: Atomic<Bool>
    /// Tells this server from others to its clients (so_major_id).
    let name: [UInt8]
    /// In seconds.
    let lease: UInt32
    /// How long the holder of a delegation may take to answer a question, in milliseconds.
    let answerLimit: UInt64
    let logger: Logger

    /// `wake` is called when there is something for the thread that calls clients.
    init(
        records: ClientRecords?,
        threads: OwnRightsThreads,
        epoch: UInt32,
        limits: NFS4Limits,
        name: [UInt8],
        logger: Logger,
        wake: @escaping @Sendable () -> Void
    ) {
        self.records = records
        self.threads = threads
        self.name = name
        self.logger = logger
        self.wake = wake
        lease = UInt32(limits.lease / 1000)
        answerLimit = limits.answer
        let first = NFS4State(epoch: epoch, limits: limits, recorded: records?.recorded ?? [], now: Self.now)
        grace = Atomic(first.isInGrace)
        state = UnfairLock(first)
        actions = Mutex([])
    }

    /// Milliseconds of a clock that never goes back, also while the machine sleeps.
    static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Whether somebody holds a delegation: otherwise nothing needs to be asked.
    var hasDelegations: Bool { delegates.load(ordering: .acquiring) }

    /// Whether clients of the run before may still claim what they had.
    var isInGrace: Bool { grace.load(ordering: .acquiring) }

    /// Looks at or changes the state; which clients there are is on stable storage when it returns, if the disk takes it.
    func perform<T: Sendable>(_ body: (inout NFS4State, UInt64) -> T) -> T {
        let now = Self.now
        let (result, todo) = state.withLock { state in
            let result = body(&state, now)
            let has = state.hasDelegations
            if has != delegates.load(ordering: .relaxed) { delegates.store(has, ordering: .releasing) }
            if !state.isInGrace, grace.load(ordering: .relaxed) { grace.store(false, ordering: .releasing) }
            return (result, state.actions.isEmpty ? [] : state.takeActions())
        }
        if !todo.isEmpty { carryOut(todo) }
        return result
    }

    /// Ends a request of a session: takes no time, and there is nothing to do after it.
    func endRequest(_ call: NFS4SequenceCall, reply: [UInt8]?) { state.withLock { $0.endRequest(call, reply: reply) } }

    private func carryOut(_ todo: [NFS4Action]) {
        var calls: [NFS4Action] = []
        var kept: [NFS4Action] = []
        for action in todo {
            switch action {
            case .record, .erase: kept.append(action)
            case .recall, .inquire, .notify, .probe: calls.append(action)
            }
        }
        // The file is the server's, and now and then it is written anew.
        if let records, !kept.isEmpty { _ = threads.run { [kept] in Self.keep(kept, in: records) } }
        guard !calls.isEmpty else { return }
        actions.withLock { $0.append(contentsOf: calls) }
        wake()
    }

    private static func keep(_ changes: [NFS4Action], in records: ClientRecords) {
        for change in changes {
            switch change {
            case .record(let owner): records.add(owner)
            case .erase(let owner): records.remove(owner)
            case .recall, .inquire, .notify, .probe: break
            }
        }
    }

    /// Writes down what could not be written before; called about every second.
    func tryRecordsAgain() { records?.tryAgain() }

    /// What is to be told to clients since the last time.
    func takeCalls() -> [NFS4Action] {
        actions.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }

    /// Puts a call back that cannot be made now.
    func putBack(_ calls: [NFS4Action]) { actions.withLock { $0.insert(contentsOf: calls, at: 0) } }

    /// Whether a change of a file must wait for a delegation that is being called back.
    ///
    /// For whoever has no client number here: version 3, and files behind names.
    func mustWait(for file: FileHandle, client: UInt64?, writes: Bool) -> Bool {
        guard hasDelegations else { return false }
        let key = NFS4FileKey(file)
        return perform { $0.recall(key, for: client, writes: writes, now: $1) }
    }
}

extension NFS4FileKey {
    init(_ handle: FileHandle) { self.init(export: handle.export, file: handle.seal) }
}

extension NFS4FileHandle {
    init(_ handle: FileHandle) { self.init(words: handle.words, count: handle.count) }
}

/// The open file of an OPEN: its rights were checked then, and stay.
final class OpenFile: Sendable {
    let object: TreeObject
    /// Who opened it.
    let user: UInt32
    private let files = UnfairLock<(reader: TreeDescriptor?, writer: TreeDescriptor?)>((nil, nil))

    init(_ object: TreeObject, user: UInt32) {
        self.object = object
        self.user = user
    }

    var reader: TreeDescriptor? { files.withLock { $0.reader } }
    var writer: TreeDescriptor? { files.withLock { $0.writer } }
    /// The file for who opened it; others who know its state are asked for their own rights.
    func reader(for caller: Caller) -> TreeDescriptor? { caller.user == user ? reader : nil }
    func writer(for caller: Caller) -> TreeDescriptor? { caller.user == user ? writer : nil }
    func set(reader: TreeDescriptor) { files.withLock { $0.reader = reader } }
    func set(writer: TreeDescriptor) { files.withLock { $0.writer = writer } }
}
