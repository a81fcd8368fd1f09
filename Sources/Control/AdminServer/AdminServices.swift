public import AdminAPI
public import BootModel

/// What the admin API shows and changes.
public struct AdminServices: Sendable {
    /// The fleet.
    public var registry: any NodeRegistry
    /// The leases.
    public var leases: any LeaseStore
    /// The boots and their events.
    public var log: any EventLog
    /// What a machine shall boot.
    public var planning: any BootPlanning
    /// The time.
    public var clock: any Clock
    /// What the server knows of itself.
    public var facts: @Sendable () -> ServerFacts

    /// Services from their parts.
    public init(
        registry: any NodeRegistry,
        leases: any LeaseStore,
        log: any EventLog,
        planning: any BootPlanning,
        clock: any Clock,
        facts: @escaping @Sendable () -> ServerFacts
    ) {
        self.registry = registry
        self.leases = leases
        self.log = log
        self.planning = planning
        self.clock = clock
        self.facts = facts
    }
}
