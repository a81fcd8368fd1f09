import BootModel
import Foundation

/// Events on their way to one watcher, who waits for them on its own thread.
final class EventMailbox: Sendable {
    /// Most events that wait; a watcher that reads too slowly misses the oldest.
    static let limit = 4096

    private let condition = NSCondition()
    // Only touched while `condition` is held.
    nonisolated(unsafe) private var events: [BootEvent] = []

    /// Adds an event.
    func put(_ event: BootEvent) {
        condition.lock()
        defer { condition.unlock() }
        if unsafe events.count >= Self.limit { unsafe events.removeFirst() }
        unsafe events.append(event)
        condition.signal()
    }

    /// Takes everything, waiting for the first at most so long.
    func take(waitingSeconds seconds: Double) -> [BootEvent] {
        condition.lock()
        defer { condition.unlock() }
        let end = Date(timeIntervalSinceNow: seconds)
        while unsafe events.isEmpty, condition.wait(until: end) {}
        let taken = unsafe events
        unsafe events = []
        return taken
    }
}
