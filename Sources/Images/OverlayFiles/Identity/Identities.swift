public import BootModel

/// Finds the identity of a node, and makes it when a node has none yet.
public struct Identities: Sendable {
    private let store: any IdentityStore

    /// Identities in a store.
    public init(_ store: any IdentityStore) { self.store = store }

    /// The identity of a node, made now if need be; on stable storage when it returns.
    ///
    /// Nobody waits for another node's keys; of two who make the same node's at once, the first wins for both. Throws
    /// what the store throws, and `OverlayProblem`.
    public func identity(of node: NodeName) throws -> NodeIdentity {
        try store.identity(of: node) ?? store.keep(IdentityMaker.make(for: node))
    }
}
