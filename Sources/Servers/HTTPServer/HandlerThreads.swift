import CLinux
import NetworkIO
import Synchronization

/// Threads for answers that may wait for a disk or a lock; they come when they are needed and go after a rest.
final class HandlerThreads: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        var jobs: [Job] = []
        /// Where the next job lies: taking from the front of an array would move all others.
        var next = 0
        /// Threads that wait and were not promised a job.
        var idle = 0
        var threads = 0
        var limit: Int

        mutating func take() -> Job? {
            guard next < jobs.count else { return nil }
            defer { next += 1 }
            let job = jobs[next]
            if next == jobs.count - 1 {
                jobs = []
                next = -1
            }
            return job
        }
    }

    private let name: String
    private let state: Mutex<State>
    private let wake: FileDescriptor
    private static let restMilliseconds: CInt = 10_000

    /// At most `limit` threads run jobs that are not streams.
    init(_ name: String, limit: Int) throws(SystemCallError) {
        self.name = name
        state = Mutex(State(limit: max(1, limit)))
        wake = try FileDescriptor(
            "eventfd",
            eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK) | CInt(EFD_SEMAPHORE))
        )
    }

    /// Runs a job soon; false when the kernel has no thread to give.
    func submit(_ job: @escaping Job) -> Bool {
        enum Need { case signal, thread, none }
        let need = state.withLock { state -> Need in
            state.jobs.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return .signal
            }
            guard state.threads < state.limit else { return .none }
            state.threads += 1
            return .thread
        }
        switch need {
        case .none: return true
        case .signal:
            eventfd_write(wake.number, 1)
            return true
        case .thread: return startThread()
        }
    }

    private func startThread() -> Bool {
        do {
            try WorkerThread.start(name) { [self] in run() }
            return true
        } catch {
            return state.withLock { state in
                state.threads -= 1
                // Another thread will come to it; without one, the newest job is given back to its owner.
                guard state.threads == 0 else { return true }
                if state.jobs.count > state.next { state.jobs.removeLast() }
                return false
            }
        }
    }

    /// Runs a job that may last for hours without counting it against the limit.
    func withoutCounting(_ body: () -> Void) {
        state.withLock { $0.limit += 1 }
        body()
        state.withLock { $0.limit -= 1 }
    }

    private func run() {
        while true {
            let job = state.withLock { state -> Job? in
                if let job = state.take() { return job }
                state.idle += 1
                return nil
            }
            if let job {
                job()
            } else if !waitForWork() {
                return
            }
        }
    }

    /// False when the thread has rested for long enough.
    private func waitForWork() -> Bool {
        var wait = pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&wait, 1, Self.restMilliseconds)
        var count: eventfd_t = 0
        if unsafe eventfd_read(wake.number, &count) == 0 { return true }
        return state.withLock { state in
            // Without idle threads to take back, this one was promised a job that comes right now.
            guard state.idle > 0 else { return true }
            state.idle -= 1
            guard state.jobs.count == state.next || state.jobs.isEmpty else { return true }
            state.threads -= 1
            return false
        }
    }
}
