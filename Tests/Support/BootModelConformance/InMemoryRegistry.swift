package import BootModel
import Dispatch
import NetworkTypes
import Synchronization

/// The ports of the registry kept in memory: for tests of what uses them.
package final class InMemoryRegistry: NodeRegistry, LeaseStore, EventLog {
    private struct State {
        var fleet = Fleet()
        var leases: [IPv4Address: Lease] = [:]
        var boots: [BootIdentifier: Boot] = [:]
        var events: [BootEvent] = []
        var fleetHandlers: [Int: @Sendable (Fleet) -> Void] = [:]
        var eventHandlers: [Int: @Sendable (BootEvent) -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())
    private let changing = DispatchSemaphore(value: 1)
    private let telling = DispatchQueue(label: "diskless.memory")

    /// An empty registry.
    package init() {}

    /// The fleet.
    package func fleet() -> Fleet { state.withLock { $0.fleet } }

    /// Changes the fleet; see `NodeRegistry`.
    package func update<Result>(_ change: (inout Fleet) throws -> Result) throws -> Result {
        changing.wait()
        defer { changing.signal() }
        var new = fleet()
        let result = try change(&new)
        let problems = new.problems
        guard problems.isEmpty else { throw FleetProblems(problems) }
        let handlers = state.withLock { [new] state in
            state.fleet = new
            return Array(state.fleetHandlers.values)
        }
        telling.async { [new] in for handler in handlers { handler(new) } }
        return result
    }

    /// Tells each new fleet.
    package func observe(_ handler: @escaping @Sendable (Fleet) -> Void) -> any Observation {
        let number = state.withLock { state in
            state.next += 1
            state.fleetHandlers[state.next] = handler
            return state.next
        }
        return Ending { [weak self] in self?.end { $0.fleetHandlers[number] = nil } }
    }

    /// Every lease.
    package func leases() -> [Lease] { state.withLock { $0.leases.values.sorted { $0.address < $1.address } } }

    /// Applies changes.
    package func commit(_ changes: [LeaseChange]) {
        state.withLock { state in
            for change in changes {
                switch change {
                case .set(let lease): state.leases[lease.address] = lease
                case .remove(let address): state.leases[address] = nil
                }
            }
        }
    }

    /// Keeps a boot.
    package func save(_ boot: Boot) { state.withLock { $0.boots[boot.id] = boot } }
    package func save(_ boots: [Boot]) { for boot in boots { save(boot) } }

    /// Keeps an event and tells it.
    package func append(_ event: BootEvent) {
        let handlers = state.withLock { state in
            state.events.append(event)
            return Array(state.eventHandlers.values)
        }
        telling.async { for handler in handlers { handler(event) } }
    }

    /// The newest boots.
    package func boots(of node: NodeName?, limit: Int) -> [Boot] {
        let boots = state.withLock { Array($0.boots.values) }
        return Array(boots.filter { node == nil || $0.node == node }.sorted { $0.started > $1.started }.prefix(limit))
    }

    /// The events of a boot.
    package func events(of boot: BootIdentifier) -> [BootEvent] {
        state.withLock { $0.events.filter { $0.boot == boot } }
    }

    /// Tells each new event.
    package func observe(_ handler: @escaping @Sendable (BootEvent) -> Void) -> any Observation {
        let number = state.withLock { state in
            state.next += 1
            state.eventHandlers[state.next] = handler
            return state.next
        }
        return Ending { [weak self] in self?.end { $0.eventHandlers[number] = nil } }
    }

    private func end(_ remove: @Sendable (inout State) -> Void) {
        state.withLock { remove(&$0) }
        telling.sync {}
    }

    private final class Ending: Observation {
        private let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        func cancel() { body() }
        deinit { body() }
    }
}
