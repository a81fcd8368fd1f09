package import BootModel

/// A registry whose disk is gone: every call throws, to see that whoever uses it says so and goes on.
package final class FailingRegistry: NodeRegistry, LeaseStore, EventLog, IdentityStore {
    /// What every call throws.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// One line, as a real registry would write it.
        package let description = "registry.sqlite: disk I/O error"
    }

    /// A registry that fails from the start.
    package init() {}

    /// Fails.
    package func fleet() throws -> Fleet { throw Failure() }
    /// Fails.
    package func update<Result>(_ change: (inout Fleet) throws -> Result) throws -> Result { throw Failure() }
    /// Fails.
    package func leases() throws -> [Lease] { throw Failure() }
    /// Fails.
    package func commit(_ changes: [LeaseChange]) throws { throw Failure() }
    /// Fails.
    package func save(_ boot: Boot) throws { throw Failure() }
    package func save(_ boots: [Boot]) throws { throw Failure() }
    /// Fails.
    package func append(_ event: BootEvent) throws { throw Failure() }
    /// Fails.
    package func boots(of node: NodeName?, limit: Int) throws -> [Boot] { throw Failure() }
    /// Fails.
    package func events(of boot: BootIdentifier) throws -> [BootEvent] { throw Failure() }
    /// Fails.
    package func identity(of node: NodeName) throws -> NodeIdentity? { throw Failure() }
    /// Fails.
    package func keep(_ identity: NodeIdentity) throws -> NodeIdentity { throw Failure() }
    /// Fails.
    package func forgetIdentity(of node: NodeName) throws { throw Failure() }
    /// Never tells anything.
    package func observe(_ handler: @escaping @Sendable (Fleet) -> Void) -> any Observation { Silence() }
    /// Never tells anything.
    package func observe(_ handler: @escaping @Sendable (BootEvent) -> Void) -> any Observation { Silence() }

    private final class Silence: Observation {
        func cancel() {}
    }
}
