import BootModel
import Dispatch
import Logging
import NetworkTypes
import Synchronization

/// The machines that asked how to boot and have no name; written down a little later, off the threads that answer.
final class Sightings: Sendable {
    private struct State {
        var machines: UnknownMachines
        var isScheduled = false
    }

    private static let writeSeconds = 2
    private let store: any UnknownMachineStore
    private let clock: any Clock
    private let logger: Logger
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "unknown machines")

    /// Goes on with what the store has.
    ///
    /// Throws what the store throws.
    init(_ store: any UnknownMachineStore, clock: any Clock, logger: Logger) throws {
        self.store = store
        self.clock = clock
        self.logger = logger
        state = Mutex(State(machines: UnknownMachines(try store.unknownMachines())))
    }

    /// Takes note of a request of a machine that has no name.
    func note(_ request: NodeRequest) {
        let now = clock.now()
        change { $0.note(request, now: now) }
    }

    /// Every machine that still has no name in `fleet`, the last seen first.
    func machines(unknownTo fleet: Fleet) -> [UnknownMachine] {
        let all = state.withLock { $0.machines.all }
        let (known, unknown) = all.reduce(into: ([UnknownMachine](), [UnknownMachine]())) { parts, machine in
            if fleet.identify(mac: machine.mac, uuid: machine.uuid).isKnown {
                parts.0.append(machine)
            } else {
                parts.1.append(machine)
            }
        }
        for machine in known { change { $0.forget(machine.mac) } }
        return unknown
    }

    private func change(_ body: (inout UnknownMachines) -> Bool) {
        let mustSchedule = state.withLock { state in
            guard body(&state.machines), !state.isScheduled else { return false }
            state.isScheduled = true
            return true
        }
        guard mustSchedule else { return }
        queue.asyncAfter(deadline: .now() + .seconds(Self.writeSeconds)) { [self] in write() }
    }

    private func write() {
        let machines = state.withLock { state in
            state.isScheduled = false
            return state.machines.all
        }
        do {
            try store.keep(unknownMachines: machines)
        } catch {
            logger.error("cannot keep the unknown machines", metadata: ["error": "\(error)"])
        }
    }

    /// Writes what waits.
    func drain() {
        queue.sync {
            if state.withLock({ $0.isScheduled }) { write() }
        }
    }
}
