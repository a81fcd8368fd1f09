import BootModel
import Dispatch
import Synchronization

/// Events that were appended and wait for the next write, at most for a second.
final class PendingEvents: Sendable {
    /// Most events that wait; when the disk is slower than that, the oldest go.
    static let limit = 65_536
    /// How long an event waits at most, in milliseconds.
    static let milliseconds = 250

    private struct State {
        var events: [BootEvent] = []
        var isScheduled = false
        var bootsSaved = 0
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "diskless.registry.flush")

    /// Adds an event; `flush` runs soon, once for all that have come by then.
    func append(_ event: BootEvent, flush: @escaping @Sendable () -> Void) {
        let mustSchedule = state.withLock { state in
            if state.events.count >= Self.limit { state.events.removeFirst(Self.limit / 8) }
            state.events.append(event)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { queue.asyncAfter(deadline: .now() + .milliseconds(Self.milliseconds), execute: flush) }
    }

    /// Takes out what waits.
    func take() -> [BootEvent] {
        state.withLock { state in
            defer { state.events = [] }
            state.isScheduled = false
            return state.events
        }
    }

    /// Puts back, in front, what could not be written.
    func putBack(_ events: [BootEvent]) {
        state.withLock {
            $0.events.insert(contentsOf: events.suffix(Self.limit - min(Self.limit, $0.events.count)), at: 0)
        }
    }

    /// Counts saved boots; true each time the history may have grown past its limits.
    func countsSavedBoots(_ count: Int, every interval: Int) -> Bool {
        state.withLock { state in
            let before = state.bootsSaved / interval
            state.bootsSaved += count
            return state.bootsSaved / interval > before
        }
    }
}
