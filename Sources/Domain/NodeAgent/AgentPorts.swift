public import BootModel
public import NetworkTypes

/// Keeps which boot a token belongs to, by the token's digest.
///
/// Implemented by `Registry`.
public protocol AgentTokenStore: Sendable {
    /// Keeps a token of a machine's boot, and forgets those of its earlier boots; on stable storage when it returns.
    func keepToken(digest: String, boot: BootIdentifier, mac: MACAddress) throws
    /// The boot and the machine that a token was given to; nil for one that nobody was given, or that is over.
    func tokenOwner(digest: String) throws -> (boot: BootIdentifier, mac: MACAddress)?
}

/// Lets running nodes do something.
///
/// Implemented by the daemon; asked by the admin API.
public protocol NodeCommanding: Sendable {
    /// How a node is; nil when no agent of it was heard since this server started.
    func condition(of node: NodeName) -> NodeCondition?
    /// Gives an order to its nodes; what becomes of it is told node by node, also that one cannot be reached.
    ///
    /// Throws `CommandRefusal` when nobody can carry it out.
    func place(_ order: CommandOrder) throws(CommandRefusal) -> any CommandReplies
}

/// What comes back from an order.
public protocol CommandReplies: AnyObject, Sendable {
    /// The news since the last call, waiting for the first at most so long.
    func take(waitingSeconds: Double) -> [CommandNews]
    /// Whether the last news was taken.
    var isOver: Bool { get }
    /// Nobody waits for it any more.
    func cancel()
}
