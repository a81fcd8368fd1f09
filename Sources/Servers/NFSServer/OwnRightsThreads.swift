import Dispatch
import NetworkIO
import Synchronization

/// Threads with this process's own rights, which do for connections' threads what those must not do themselves.
///
/// The thread of a connection has the user, the groups, the capabilities and the umask that its last call needed. Whatever it
/// starts inherits them: threads, and with them the workers of Dispatch and of Swift's tasks, which later work for others.
/// The first thread here is started by whoever makes this, and every further one by one of them.
final class OwnRightsThreads: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        /// Threads that wait for a job, or will when they have begun.
        var idle = 0
        var count = 0
        var isOver = false
    }

    /// What the threads keep, so that they do not keep what ends them.
    private final class Shared: Sendable {
        let state = Mutex(State())
        /// Counts jobs; a semaphore of Dispatch starts no threads.
        let waiting = DispatchSemaphore(value: 0)
    }

    /// Jobs at the same time: each may wait for a disk or a mount.
    private static let limit = 64
    /// Threads that stay when there is nothing to do.
    private static let kept = 2

    private let shared = Shared()

    /// To be made on a thread that has the process's rights.
    ///
    /// Throws when the kernel has no thread to give.
    init() throws {
        shared.state.withLock { $0 = State(idle: 1, count: 1) }
        try Self.start(shared)
    }

    deinit {
        let count = shared.state.withLock { state in
            state.isOver = true
            return state.count
        }
        for _ in 0..<count { shared.waiting.signal() }
    }

    /// Runs `body` on one of them and waits for it; nil never comes while this is kept.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result?>(nil)
        shared.state.withLock { state in
            state.jobs.append {
                let value = body()
                result.withLock { $0 = value }
                done.signal()
            }
        }
        shared.waiting.signal()
        done.wait()
        return result.withLock(\.self)
    }

    private static func start(_ shared: Shared) throws {
        try WorkerThread.start("nfs-own") { work(shared) }
    }

    private static func work(_ shared: Shared) {
        while true {
            shared.waiting.wait()
            let (job, isLast) = shared.state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                guard !state.jobs.isEmpty else { return (nil, false) }
                state.idle -= 1
                // Whoever takes the last free place makes another: this job may wait for long.
                let isLast = state.idle == 0 && state.count < limit
                if isLast {
                    state.count += 1
                    state.idle += 1
                }
                return (state.jobs.removeFirst(), isLast)
            }
            guard let job else { return }
            if isLast {
                do { try start(shared) } catch {
                    // Jobs wait for this one then.
                    shared.state.withLock { state in
                        state.count -= 1
                        state.idle -= 1
                    }
                }
            }
            job()
            let isTooMany = shared.state.withLock { state in
                let isTooMany = state.isOver || (state.idle >= kept && state.jobs.isEmpty)
                if isTooMany { state.count -= 1 } else { state.idle += 1 }
                return isTooMany
            }
            if isTooMany { return }
        }
    }
}
