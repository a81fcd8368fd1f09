import Dispatch
import Synchronization

/// Something done every few seconds, until it is cancelled.
final class Repetition: Sendable {
    private let queue: DispatchQueue
    private let isOver = Mutex(false)
    private let seconds: Int
    private let action: @Sendable () -> Void

    /// Does it for the first time after `seconds`.
    init(_ label: String, everySeconds seconds: Int, _ action: @escaping @Sendable () -> Void) {
        queue = DispatchQueue(label: label)
        self.seconds = seconds
        self.action = action
        schedule()
    }

    private func schedule() {
        queue.asyncAfter(deadline: .now() + .seconds(seconds)) { [weak self] in
            guard let self, !isOver.withLock({ $0 }) else { return }
            action()
            schedule()
        }
    }

    /// Ends it; it is not done any more once this returns.
    func cancel() {
        isOver.withLock { $0 = true }
        queue.sync {}
    }
}
