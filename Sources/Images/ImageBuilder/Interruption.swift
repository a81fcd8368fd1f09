internal import CLinux
internal import Synchronization

/// A request to stop work in progress, that waiting code can poll for: Ctrl-C, `kill`, a closed terminal, or a caller's wish.
public final class Interruption: Sendable {
    /// Readable as soon as the request is there, and from then on.
    let descriptor: Int32
    private let sender: Int32
    private let seen = Atomic<Int32>(0)

    /// A request that nobody has made yet.
    public init() throws(BuildError) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else {
            throw .system(action: "make a pipe", path: "", code: clinux_errno())
        }
        descriptor = ends[0]
        sender = ends[1]
    }

    deinit {
        // A handler that is still installed must not write into somebody else's file.
        _ = signalDestination.compareExchange(expected: sender, desired: -1, ordering: .sequentiallyConsistent)
        close(descriptor)
        close(sender)
    }

    /// Makes the request, in the name of a signal; 2 is that of Ctrl-C.
    public func request(signal: Int32 = 2) {
        var byte = UInt8(truncatingIfNeeded: signal)
        _ = unsafe write(sender, &byte, 1)
    }

    /// The signal that asked, once one has.
    public var signal: Int32? {
        let known = seen.load(ordering: .relaxed)
        if known != 0 { return known }
        var byte: UInt8 = 0
        guard unsafe read(descriptor, &byte, 1) == 1 else { return nil }
        seen.store(Int32(byte), ordering: .relaxed)
        return Int32(byte)
    }

    /// Throws ``BuildError/interrupted(signal:)`` once the request is there.
    public func check() throws(BuildError) {
        if let signal { throw .interrupted(signal: signal) }
    }

    /// Lets SIGINT, SIGTERM and SIGHUP make the request instead of ending the process, while `body` runs.
    public func whileCatchingSignals<Result>(_ body: () throws -> Result) rethrows -> Result {
        signalDestination.store(sender, ordering: .sequentiallyConsistent)
        let signals = [SIGINT, SIGTERM, SIGHUP]
        var before: [sigaction] = []
        for signal in signals {
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = { signal in
                // Only what a signal handler may do: read an atomic, write a pipe, keep clinux_errno().
                let code = clinux_errno()
                var byte = UInt8(truncatingIfNeeded: signal)
                let destination = signalDestination.load(ordering: .sequentiallyConsistent)
                if destination >= 0 { _ = unsafe write(destination, &byte, 1) }
                clinux_set_errno(code)
            }
            action.sa_flags = SA_RESTART
            var old = sigaction()
            unsafe sigaction(signal, &action, &old)
            before.append(old)
        }
        defer {
            for (signal, old) in zip(signals, before) {
                var old = old
                unsafe sigaction(signal, &old, nil)
            }
            signalDestination.store(-1, ordering: .sequentiallyConsistent)
        }
        return try body()
    }
}

/// Where the signal handler writes; -1 for nowhere.
private let signalDestination = Atomic<Int32>(-1)
