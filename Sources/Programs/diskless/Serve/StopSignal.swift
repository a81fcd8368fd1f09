import CLinux

/// SIGINT and SIGTERM, as something for the main thread to wait for.
enum StopSignal {
    private static var signals: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        return signals
    }

    /// Keeps them until `wait`; from here on they do not end the process by themselves.
    ///
    /// Called before any thread starts, so that every thread inherits it.
    static func block() {
        var signals = signals
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Waits for the first of them.
    static func wait() {
        block()
        var signals = signals
        var number: CInt = 0
        unsafe sigwait(&signals, &number)
    }
}
