import CLinux

/// A value behind a lock that whoever comes first takes, for what many threads want for less than a microsecond at a time.
///
/// The standard library's `Mutex` gives the lock from its holder to the one who waits longest (FUTEX_LOCK_PI). When a holder
/// is interrupted once, a queue forms, and from then on each use of the lock is a change of threads: sixteen busy connections
/// get a tenth of what they can. Here the thread that runs goes on, and those that wait are woken when it is done.
///
/// Unchecked, since the compiler cannot see that the holder of the lock alone touches the value. That lies in memory of its
/// own: of a property the runtime would watch each use, which takes longer than the lock.
@safe public final class UnfairLock<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    @usableFromInline let value: UnsafeMutablePointer<Value>

    /// A lock around `value`.
    public init(_ value: sending Value) {
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the value while no other thread has it; never from within itself.
    @inlinable public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock()
        defer { unlock() }
        return unsafe try body(&value.pointee)
    }

    @usableFromInline func lock() { unsafe pthread_mutex_lock(mutex) }
    @usableFromInline func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
