import BootModel
import Synchronization

/// The boots under way, for the threads of all servers.
final class SharedTracker: Sendable {
    private let tracker: Mutex<BootTracker>

    /// Goes on with the boots of before.
    init(_ boots: [Boot]) { tracker = Mutex(BootTracker(restoring: boots)) }

    func withLock<Result: Sendable>(_ body: (inout BootTracker) -> Result) -> Result {
        tracker.withLock { body(&$0) }
    }
}
