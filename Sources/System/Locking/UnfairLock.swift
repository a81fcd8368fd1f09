import CLinux

/// A value behind a lock that whoever comes first takes, for what many threads want for less than a microsecond at a time.
///
/// The standard library's `Mutex` gives the lock from its holder to the one who waits longest (FUTEX_LOCK_PI). When a holder
/// is interrupted once, a queue forms, and from then on each use of the lock is a change of threads: sixteen busy connections
/// get a tenth of what they can. Here the thread that runs goes on, and those that wait are woken when it is done.
///
/// Unchecked, since the compiler cannot see that the holder of the lock alone touches the value.
@safe public final class UnfairLock<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    /// A lock around `value`.
    public init(_ value: sending Value) {
        self.value = value
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the value while no other thread has it; never from within itself.
    @inlinable public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock()
        defer { unlock() }
        return try body(&unlocked)
    }

    @usableFromInline var unlocked: Value {
        get { value }
        _modify { yield &value }
    }
    @usableFromInline func lock() { unsafe pthread_mutex_lock(mutex) }
    @usableFromInline func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
