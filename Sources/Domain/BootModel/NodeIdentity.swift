/// What makes a node that node at every boot: made once, kept by the server.
public struct NodeIdentity: Hashable, Sendable {
    /// A private key with which the node's ssh server proves who it is.
    public struct HostKey: Hashable, Sendable {
        /// The name that ssh gives the kind: `ed25519`, `ecdsa`, `rsa`.
        public var kind: String
        /// The private key as its file holds it.
        public var privateFile: String
        /// The public key as ssh writes it: `ssh-ed25519 AAAA…`, without a comment.
        public var publicLine: String

        /// A key from its parts.
        public init(kind: String, privateFile: String, publicLine: String) {
            self.kind = kind
            self.privateFile = privateFile
            self.publicLine = publicLine
        }
    }

    /// Whose.
    public var node: NodeName
    /// 32 random bytes from which everything else of it is derived.
    public var seed: [UInt8]
    /// Its host keys.
    public var hostKeys: [HostKey]

    /// An identity from its parts.
    public init(node: NodeName, seed: [UInt8], hostKeys: [HostKey]) {
        self.node = node
        self.seed = seed
        self.hostKeys = hostKeys
    }
}

extension NodeIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The node's name alone: keys get into no log.
    public var description: String { "identity of \(node)" }
    /// The same.
    public var debugDescription: String { description }
    /// Without the keys.
    public var customMirror: Mirror { Mirror(self, children: ["node": node]) }
}

extension NodeIdentity.HostKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The public key.
    public var description: String { publicLine }
    /// The same.
    public var debugDescription: String { description }
    /// Without the private key.
    public var customMirror: Mirror { Mirror(self, children: ["public": publicLine]) }
}

/// Keeps the identities of nodes, readable by root alone.
///
/// Implemented by `Registry`.
public protocol IdentityStore: Sendable {
    /// The identity of a node; nil when it has none yet.
    func identity(of node: NodeName) throws -> NodeIdentity?
    /// Keeps a new identity and gives what is kept: another's, when it came first. On stable storage when it returns.
    func keep(_ identity: NodeIdentity) throws -> NodeIdentity
    /// Forgets the identity of a node: its next boot gets a new one.
    func forgetIdentity(of node: NodeName) throws
}
