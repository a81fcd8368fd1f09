import CLinux
import NetworkIO

/// SIGINT and SIGTERM, as a value to wait for.
enum StopSignal {
    /// Waits for the first of them on a thread of its own; from then on they do not end the process by themselves.
    static func wait() async {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waiting = signals
        await withCheckedContinuation { continuation in
            let started: Void? = try? WorkerThread.start("signals") {
                var signals = waiting
                var number: CInt = 0
                unsafe sigwait(&signals, &number)
                continuation.resume()
            }
            if started == nil { continuation.resume() }
        }
    }
}
