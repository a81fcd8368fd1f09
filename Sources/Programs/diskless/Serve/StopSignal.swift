import CLinux

/// SIGINT and SIGTERM, as something to wait for.
enum StopSignal {
    /// Waits for the first of them; for the main thread, since every other one has its signals blocked.
    static func wait() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        var number: CInt = 0
        unsafe sigwait(&signals, &number)
    }
}
