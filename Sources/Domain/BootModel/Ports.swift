import NetworkTypes

/// Keeps the desired state.
///
/// Implemented by `Registry`; every implementation runs the conformance suite.
public protocol NodeRegistry: Sendable {
    /// The fleet as it is now: a value, cheap to take for every request.
    func fleet() throws -> Fleet

    /// Changes the fleet in one transaction: `change` gets the fleet as it is and leaves it as it shall be.
    ///
    /// Two changes at once happen one after the other. Throws `FleetProblems` when the outcome contradicts itself, and
    /// whatever `change` throws; then nothing has changed. Returns when the change is on stable storage.
    @discardableResult
    func update<Result>(_ change: (inout Fleet) throws -> Result) throws -> Result

    /// Calls `handler` after each change, on a thread of the registry's, until the observation is released.
    func observe(_ handler: @escaping @Sendable (Fleet) -> Void) -> any Observation
}

/// Several contradictions at once.
public struct FleetProblems: Error, Equatable, Sendable, CustomStringConvertible {
    /// Each of them.
    public var problems: [FleetProblem]
    /// From a list that is not empty.
    public init(_ problems: [FleetProblem]) { self.problems = problems }
    /// One line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Ends an observation when released.
public protocol Observation: AnyObject, Sendable {
    /// Ends it now; the handler is not called again once this returns.
    func cancel()
}

/// Finds image versions.
///
/// Implemented by `ImageStore`.
public protocol ImageCatalog: Sendable {
    /// Every version, oldest first within an image.
    func versions() throws -> [ImageVersion]
    /// The version that a reference names now; nil when there is none.
    func resolve(_ reference: ImageReference) throws -> ImageVersion?
    /// The newest version of any image; nil when there is none.
    func newest() throws -> ImageVersion?
    /// The path of a version's file.
    func path(of role: ImageFileRole, in version: ImageVersionID) throws -> String
}

/// Keeps leases.
///
/// Implemented by `Registry`.
public protocol LeaseStore: Sendable {
    /// Every lease that is kept, expired ones included.
    func leases() throws -> [Lease]
    /// Applies all changes, or none; they are on stable storage when this returns.
    func commit(_ changes: [LeaseChange]) throws
}

/// Keeps boots and their events.
///
/// Implemented by `Registry`.
public protocol EventLog: Sendable {
    /// Keeps a boot, new or changed; on stable storage when this returns.
    func save(_ boot: Boot) throws
    /// The same for several at once, all or none.
    func save(_ boots: [Boot]) throws
    /// Appends an event; a power cut may lose the last second of them.
    func append(_ event: BootEvent) throws
    /// The newest boots first, of one node or of all.
    func boots(of node: NodeName?, limit: Int) throws -> [Boot]
    /// The newest boot of each node, in no order.
    func newestBoots() throws -> [Boot]
    /// The events of a boot in order.
    func events(of boot: BootIdentifier) throws -> [BootEvent]
    /// Calls `handler` for each appended event, in order, until the observation is released.
    ///
    /// A handler that is slow misses events rather than holding up a boot.
    func observe(_ handler: @escaping @Sendable (BootEvent) -> Void) -> any Observation
}

extension EventLog {
    /// The newest boot of each node, found among all that are kept.
    public func newestBoots() throws -> [Boot] {
        var newest: [NodeName: Boot] = [:]
        for boot in try boots(of: nil, limit: .max) where newest[boot.node] == nil { newest[boot.node] = boot }
        return Array(newest.values)
    }
}

/// Answers what a machine shall boot.
///
/// Implemented by the daemon; asked by every server.
public protocol BootPlanning: Sendable {
    /// Who is asking.
    func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool)
    /// What the machine gets; a refusal says why it gets nothing.
    func plan(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses
    ) -> Result<BootPlan, BootRefusal>
}

/// Takes in what happens in boots.
///
/// Implemented by the daemon; told by every server. Never blocks on the disk for long.
public protocol BootRecorder: Sendable {
    /// A machine was seen doing something.
    ///
    /// `event.boot` is filled in by the recorder.
    func record(_ event: BootEvent, reached progress: Boot.Progress?)
}

/// The current time, so that tests can set it.
public protocol Clock: Sendable {
    /// Now.
    func now() -> Timestamp
}
