public import AdminAPI
public import BootModel
public import NodeAgent

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
    /// Copies of the registry.
    public var backup: RegistryBackup
    /// Lets running nodes do something; nil where nobody can.
    public var commands: (any NodeCommanding)?
    /// What the server knows of itself.
    public var facts: @Sendable () -> ServerFacts

    /// Overlay files; nil where nobody shows them.
    public var files: (any FileShowing)?
    /// What is kept for nodes; nil for a server that keeps nothing.
    public var storage: (any NodeStorageKeeping)?
    /// The machines that asked and are not in a fleet, the last seen first.
    public var unknownMachines: @Sendable (Fleet) -> [UnknownMachine]
    /// Waits, not for long, until the servers follow the fleet as it is now.
    public var awaitFollowers: @Sendable () -> Void = {}

    /// Services from their parts.
    public init(
        registry: any NodeRegistry,
        leases: any LeaseStore,
        log: any EventLog,
        planning: any BootPlanning,
        clock: any Clock,
        backup: RegistryBackup = .none,
        commands: (any NodeCommanding)? = nil,
        facts: @escaping @Sendable () -> ServerFacts,
        unknownMachines: @escaping @Sendable (Fleet) -> [UnknownMachine] = { _ in [] },
        files: (any FileShowing)? = nil
    ) {
        self.registry = registry
        self.leases = leases
        self.log = log
        self.planning = planning
        self.clock = clock
        self.backup = backup
        self.commands = commands
        self.facts = facts
        self.unknownMachines = unknownMachines
        self.files = files
    }
}

/// Copies the registry and restores a copy, while it is in use.
public struct RegistryBackup: Sendable {
    /// Makes a copy in the state directory.
    public var copy: @Sendable () throws -> RegistryCopy
    /// Makes the registry what a copy in the state directory holds.
    public var restore: @Sendable (RegistryCopy) throws -> Void

    /// A backup from its parts.
    public init(
        copy: @escaping @Sendable () throws -> RegistryCopy,
        restore: @escaping @Sendable (RegistryCopy) throws -> Void
    ) {
        self.copy = copy
        self.restore = restore
    }

    /// For a registry that is no file.
    public static let none = RegistryBackup(
        copy: { throw AdminProblem("this registry cannot be copied") },
        restore: { _ in throw AdminProblem("this registry cannot be restored") }
    )
}
