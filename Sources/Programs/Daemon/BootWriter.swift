import BootModel
import Dispatch
import Logging
import NetworkTypes
import Synchronization

/// Writes boots and their events in order, away from the threads that answer machines.
///
/// What comes within a hundredth of a second is written together: in a storm of boots each write that reaches the disk
/// holds up the leases that wait for it too.
final class BootWriter: Sendable {
    private struct Waiting {
        var events: [BootEvent] = []
        /// Whose boots have changed, with the last state that was told.
        var boots: [BootIdentifier: Boot] = [:]
        var isScheduled = false
    }

    /// How many events may wait for the disk; more are dropped and said so once.
    private static let limit = 100_000
    private static let gathering = DispatchTimeInterval.milliseconds(10)

    private let log: any EventLog
    private let logger: Logger
    /// The boot of a machine as it is by now.
    private let newest: @Sendable (MACAddress) -> Boot?
    private let queue = DispatchQueue(label: "boot events")
    private let waiting = Mutex(Waiting())
    /// Held while boots are written, so that an older state of one never comes after a newer one.
    private let saving = Mutex(())
    /// Whether the last event could not be kept; said once, until one can be again.
    private let isLosing = Mutex(false)

    init(log: any EventLog, logger: Logger, newest: @escaping @Sendable (MACAddress) -> Boot?) {
        self.log = log
        self.logger = logger
        self.newest = newest
    }

    /// Writes an event, and the boot that it changed, soon.
    func write(_ event: BootEvent, _ changed: Boot?) {
        enum Taken { case dropped, gathered, first }
        let taken = waiting.withLock { waiting -> Taken in
            guard waiting.events.count < Self.limit else { return .dropped }
            waiting.events.append(event)
            if let changed { waiting.boots[changed.id] = changed }
            defer { waiting.isScheduled = true }
            return waiting.isScheduled ? .gathered : .first
        }
        switch taken {
        case .dropped: said(losing: "the disk is too slow")
        case .gathered: break
        case .first: queue.asyncAfter(deadline: .now() + Self.gathering) { [self] in flush() }
        }
    }

    /// Writes boots as they are by now; they are on stable storage when this returns.
    ///
    /// Throws what the log throws.
    func keep(_ boots: [Boot]) throws {
        guard !boots.isEmpty else { return }
        try saving.withLock { _ in
            try log.save(
                boots.map { boot in
                    let newest = newest(boot.mac)
                    return newest?.id == boot.id ? newest ?? boot : boot
                }
            )
        }
    }

    /// Waits until everything told so far is written.
    func drain() { queue.sync { flush() } }

    private func flush() {
        let taken = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        guard !taken.events.isEmpty else { return }
        var problem: String?
        do { try keep(Array(taken.boots.values)) } catch { problem = "\(error)" }
        // Whoever watches sees the events also when the boots cannot be kept.
        for event in taken.events {
            do { try log.append(event) } catch { problem = "\(error)" }
        }
        said(losing: problem)
    }

    /// Says once that boots or events are being lost, and once that they are kept again.
    private func said(losing problem: String?) {
        let hasChanged = isLosing.withLock { losing in
            defer { losing = problem != nil }
            return losing != (problem != nil)
        }
        guard hasChanged else { return }
        if let problem {
            logger.error("boots go on, but their events cannot be kept", metadata: ["error": "\(problem)"])
        } else {
            logger.notice("boot events are kept again")
        }
    }
}
