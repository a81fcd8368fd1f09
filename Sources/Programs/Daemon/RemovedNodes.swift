import BootModel
import Logging
import NetworkTypes
import Synchronization

/// Ends what nodes may use that are no longer in the fleet, once they are off.
///
/// A node that runs when it is removed, or gets another name, keeps its root until it is switched off.
final class RemovedNodes: Sendable {
    /// Who has a connection, or whose agent is there.
    struct Running: Sendable {
        var nodes: Set<NodeName>
        var machines: Set<MACAddress>
    }

    /// For how many seconds such a node must have been silent: longer than a node needs to come back after a restart of the
    /// server.
    static let silence = 60

    private let grants: GrantStore
    private let registry: any NodeRegistry
    private let running: @Sendable () -> Running
    private let clock: any BootModel.Clock
    private let logger: Logger
    /// Since when each of them is silent.
    private let silent = Mutex<[NodeName: Timestamp]>([:])

    init(
        grants: GrantStore,
        registry: any NodeRegistry,
        running: @escaping @Sendable () -> Running,
        clock: any BootModel.Clock,
        logger: Logger
    ) {
        self.grants = grants
        self.registry = registry
        self.running = running
        self.clock = clock
        self.logger = logger
    }

    /// Looks who is gone by now; to be called again and again.
    func look() {
        // Of a fleet that cannot be read nobody was removed.
        guard let fleet = try? registry.fleet() else { return }
        // Machines that nobody named have grants too.
        let removed = grants.all.filter { fleet.nodes[$0.node] == nil && $0.node != NodeName(unknown: $0.mac) }
        guard !removed.isEmpty else { return silent.withLock { $0 = [:] } }
        let (running, now) = (running(), clock.now())
        let alive = Set(removed.filter { running.machines.contains($0.mac) }.map(\.node)).union(running.nodes)
        let quiet = Set(removed.map(\.node)).subtracting(alive)
        let over = silent.withLock { silent in
            silent = Dictionary(uniqueKeysWithValues: quiet.map { ($0, silent[$0] ?? now) })
            return silent.filter { now.seconds(since: $0.value) >= Double(Self.silence) }.map(\.key)
        }
        for node in over {
            grants.end(node)
            logger.notice("node is gone: what its last boot was given is over", metadata: ["node": "\(node)"])
        }
    }
}
