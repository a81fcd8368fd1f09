import BootModel
import Dispatch
import Synchronization

/// Those who want to be told: each on a queue of its own with bounded room, so that a slow one harms only itself.
final class Observers<Value: Sendable>: Sendable {
    private struct State {
        var observers: [Int: Observer<Value>] = [:]
        var next = 0
    }

    private let label: String
    private let capacity: Int
    private let state = Mutex(State())

    /// `capacity` values wait for a slow observer; of more, it misses the oldest.
    init(label: String, capacity: Int) {
        self.label = label
        self.capacity = capacity
    }

    /// Adds an observer until the result is cancelled or released.
    func add(_ handler: @escaping @Sendable (Value) -> Void) -> any Observation {
        state.withLock { state in
            let number = state.next
            state.next += 1
            let observer = Observer(label: label, capacity: capacity, handler: handler)
            state.observers[number] = observer
            return Token(observers: self, number: number, observer: observer)
        }
    }

    /// Tells everybody, and returns at once.
    func tell(_ value: Value) {
        let observers = state.withLock { Array($0.observers.values) }
        for observer in observers { observer.take(value) }
    }

    /// Waits until everybody has taken what was told before, `seconds` at most; false when somebody has not.
    ///
    /// An observer that calls this waits for itself, to no end.
    func settle(seconds: Double) -> Bool {
        let group = DispatchGroup()
        for observer in state.withLock({ Array($0.observers.values) }) { observer.settle(group) }
        return group.wait(timeout: .now() + seconds) == .success
    }

    fileprivate func remove(_ number: Int) { _ = state.withLock { $0.observers.removeValue(forKey: number) } }

    private final class Token: Observation {
        private let observers: Observers
        private let number: Int
        private let observer: Observer<Value>

        init(observers: Observers, number: Int, observer: Observer<Value>) {
            self.observers = observers
            self.number = number
            self.observer = observer
        }

        func cancel() {
            observers.remove(number)
            observer.end()
        }

        deinit { cancel() }
    }
}

/// One observer with the values that wait for it.
private final class Observer<Value: Sendable>: Sendable {
    private struct State {
        var waiting: [Value] = []
        var isDelivering = false
        var isOver = false
    }

    private let capacity: Int
    private let handler: @Sendable (Value) -> Void
    private let queue: DispatchQueue
    private let key = DispatchSpecificKey<Bool>()
    private let state = Mutex(State())

    init(label: String, capacity: Int, handler: @escaping @Sendable (Value) -> Void) {
        self.capacity = capacity
        self.handler = handler
        queue = DispatchQueue(label: label)
        queue.setSpecific(key: key, value: true)
    }

    func take(_ value: Value) {
        let mustStart = state.withLock { state in
            guard !state.isOver else { return false }
            if state.waiting.count >= capacity { state.waiting.removeFirst() }
            state.waiting.append(value)
            defer { state.isDelivering = true }
            return !state.isDelivering
        }
        if mustStart { queue.async { self.deliver() } }
    }

    private func deliver() {
        while true {
            let batch = state.withLock { state in
                let batch = state.isOver ? [] : state.waiting
                state.waiting = []
                if batch.isEmpty { state.isDelivering = false }
                return batch
            }
            if batch.isEmpty { return }
            for value in batch {
                if state.withLock({ $0.isOver }) { break }
                handler(value)
            }
        }
    }

    /// The group waits for what was taken so far: the queue does one thing after the other.
    func settle(_ group: DispatchGroup) { queue.async(group: group) {} }

    /// The handler is not called again once this returns; a handler may end its own observation.
    func end() {
        state.withLock { $0.isOver = true }
        if DispatchQueue.getSpecific(key: key) != true { queue.sync {} }
    }
}
