import BootModel
import Dispatch
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Keeps leases in groups, on a thread of its own: while the disk works on one group, the server goes on answering, and
/// all that waits by then is the next group.
///
/// An answer leaves after the group that holds its lease is on stable storage, never before.
final class LeaseCommitter: Sendable {
    /// An outcome whose changes must be kept before its actions are done.
    struct Work: Sendable {
        var link: Int
        var outcome: DHCPOutcome
    }

    private struct State {
        var waiting: [Work] = []
        var isIdle = true
        var isBlocked = false
        var isStopping = false
    }

    private let store: any LeaseStore
    private let log: Logger
    private let confirm: @Sendable ([LeaseChange]) -> Void
    private let perform: @Sendable (Work) -> Void
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let taken = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// How many outcomes may wait for a slow disk; then the server reads no more requests until the disk is done.
    private static let limit = 16_384

    /// A committer to `store`; `confirm` hears of changes that are kept, `perform` does what waited for them.
    init(
        store: any LeaseStore,
        log: Logger,
        confirm: @escaping @Sendable ([LeaseChange]) -> Void,
        perform: @escaping @Sendable (Work) -> Void
    ) {
        self.store = store
        self.log = log
        self.confirm = confirm
        self.perform = perform
    }

    /// Starts the thread.
    ///
    /// Throws `SystemCallError` when there is none to have.
    func start() throws {
        try WorkerThread.start("dhcp-leases", stackBytes: 1 << 20) { [self] in
            run()
            ended.signal()
        }
    }

    /// Hands over outcomes; waits when the disk is far behind.
    func add(_ outcomes: [Work]) {
        let (wakes, blocks) = state.withLock { state in
            state.waiting += outcomes
            defer { state.isIdle = false }
            state.isBlocked = state.waiting.count > Self.limit
            return (state.isIdle, state.isBlocked)
        }
        if wakes { work.signal() }
        if blocks { taken.wait() }
    }

    /// Whether nothing waits for the disk.
    var isIdle: Bool { state.withLock(\.isIdle) }

    /// Ends the thread when everything handed over is done.
    func stop() {
        let wakes = state.withLock { state in
            state.isStopping = true
            defer { state.isIdle = false }
            return state.isIdle
        }
        if wakes { work.signal() }
        ended.wait()
    }

    private func run() {
        /// Changes that the store would not take, each address's last one; they go before the next ones, so that the
        /// store never keeps what the table has given up.
        var unkept: [IPv4Address: LeaseChange] = [:]
        while true {
            let (group, wasBlocked, isStopping) = state.withLock { state in
                let group = state.waiting
                state.waiting = []
                state.isIdle = group.isEmpty
                defer { state.isBlocked = false }
                return (group, state.isBlocked, state.isStopping)
            }
            if wasBlocked { taken.signal() }
            if group.isEmpty {
                if isStopping { return }
                work.wait()
                continue
            }
            let changes = group.flatMap(\.outcome.changes)
            do {
                try store.commit(Array(unkept.values) + changes)
                confirm(changes)
                unkept = [:]
                for work in group { perform(work) }
            } catch {
                // What promises a lease that is not kept must not leave; the client asks again.
                for change in changes { unkept[change.address] = change }
                log.error("leases cannot be kept, so these requests stay unanswered: \(error)")
            }
        }
    }
}
