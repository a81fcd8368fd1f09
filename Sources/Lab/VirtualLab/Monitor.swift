import CLinux

/// A value behind a mutex with a condition: threads change it and wait, with a limit, until it has a property.
///
/// Waiting is on a condition variable of the monotonic clock, so nothing in the lab polls.
@safe
package final class Monitor<State>: Sendable {
    /// The mutex, the condition and the value, in memory of their own so that they never move.
    @safe
    private struct Cell {
        var mutex = unsafe pthread_mutex_t()
        var condition = pthread_cond_t()
        var state: State
    }

    /// Reached only with the mutex held (but for the mutex itself), which is what makes this class Sendable.
    nonisolated(unsafe) private let cell: UnsafeMutablePointer<Cell>

    package init(_ state: sending State) {
        unsafe cell = UnsafeMutablePointer<Cell>.allocate(capacity: 1)
        unsafe cell.initialize(to: Cell(state: state))
        unsafe pthread_mutex_init(&cell.pointee.mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(&cell.pointee.condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(&cell.pointee.condition)
        unsafe pthread_mutex_destroy(&cell.pointee.mutex)
        unsafe cell.deinitialize(count: 1)
        unsafe cell.deallocate()
    }

    /// Reads or changes the value, and wakes all who wait for it.
    @discardableResult
    package func update<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        unsafe pthread_mutex_lock(&cell.pointee.mutex)
        defer {
            unsafe pthread_cond_broadcast(&cell.pointee.condition)
            unsafe pthread_mutex_unlock(&cell.pointee.mutex)
        }
        return try unsafe body(&cell.pointee.state)
    }

    /// Reads the value.
    package func read<Result>(_ body: (State) throws -> Result) rethrows -> Result {
        unsafe pthread_mutex_lock(&cell.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&cell.pointee.mutex) }
        return try unsafe body(cell.pointee.state)
    }

    /// Waits until `body` gives something, at most for `limit` (nil: for ever); nil when the limit passed.
    package func wait<Result>(limit: Duration?, until body: (inout State) -> Result?) -> Result? {
        let end = limit.map { MonotonicTime.now.seconds + $0.inSeconds }
        unsafe pthread_mutex_lock(&cell.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&cell.pointee.mutex) }
        while true {
            if let result = unsafe body(&cell.pointee.state) { return result }
            if let end {
                if MonotonicTime.now.seconds >= end { return nil }
                var time = timespec(tv_sec: Int(end), tv_nsec: Int((end - end.rounded(.down)) * 1e9))
                unsafe pthread_cond_timedwait(&cell.pointee.condition, &cell.pointee.mutex, &time)
            } else {
                unsafe pthread_cond_wait(&cell.pointee.condition, &cell.pointee.mutex)
            }
        }
    }
}

/// A reading of the machine's monotonic clock.
struct MonotonicTime {
    /// Since an arbitrary start.
    let seconds: Double

    /// The time now.
    static var now: MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }
}

extension Duration {
    /// As seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
