public import BootModel

/// What the server keeps for one node.
public struct NodeStorage: Hashable, Sendable, Codable {
    /// One thing that is kept.
    public struct Part: Hashable, Sendable, Codable {
        /// `state`, `root`, `volume`, `swap`, `layer` (a private layer of one boot) or `snapshot`.
        public var kind: String
        /// Which of its kind: a boot, or a snapshot's label.
        public var name: String?
        /// The room that it takes on the server, in bytes.
        public var used: Int64
        /// How much it may hold, in bytes; nil without a limit of its own.
        public var size: Int64?

        /// A part from its parts.
        public init(kind: String, name: String? = nil, used: Int64, size: Int64? = nil) {
            self.kind = kind
            self.name = name
            self.used = used
            self.size = size
        }
    }

    /// Whose.
    public var node: NodeName
    /// Whether the fleet, or a boot under way, knows the node: else nothing of this is used any more.
    public var isKnown: Bool
    /// Whether the node runs on it now.
    public var isConnected: Bool
    /// What is kept.
    public var parts: [Part]

    /// Storage from its parts.
    public init(node: NodeName, isKnown: Bool, isConnected: Bool, parts: [Part]) {
        self.node = node
        self.isKnown = isKnown
        self.isConnected = isConnected
        self.parts = parts
    }
}

/// What of a node is begun anew.
public enum StorageReset: String, Hashable, Sendable, Codable, CaseIterable {
    /// What its `state:` paths hold.
    case state
    /// Its root: the kept layer, the volume, private layers and swap.
    case root
    /// Both.
    case all
}

/// Keeps what belongs to nodes on the server.
///
/// Implemented by the daemon. Each call throws one line that says why it cannot be.
public protocol NodeStorageKeeping: Sendable {
    /// What is kept for every node that has anything, by name.
    func storage() throws -> [NodeStorage]
    /// What is kept for one node.
    func storage(of node: NodeName) throws -> NodeStorage
    /// Drops what is kept, so that the node's next boot begins with it anew.
    func reset(_ node: NodeName, _ what: StorageReset) throws
    /// Copies state, root and volume aside under a label.
    func snapshot(_ node: NodeName, label: String) throws
    /// Puts the copy of that label back in place.
    func restore(_ node: NodeName, label: String) throws
    /// Drops the copy of that label.
    func dropSnapshot(_ node: NodeName, label: String) throws
}

extension AdminClient {
    /// What is kept for every node.
    public func storage() throws -> [NodeStorage] { try json("GET", AdminPath.storage) }
    /// What is kept for one node.
    public func storage(of node: NodeName) throws -> NodeStorage {
        try json("GET", "\(AdminPath.storage)/\(node)")
    }
    /// Begins a node's storage anew.
    public func reset(_ node: NodeName, _ what: StorageReset) throws {
        try change(node, "reset", what.rawValue)
    }
    /// Copies a node's storage aside.
    public func snapshot(_ node: NodeName, label: String) throws { try change(node, "snapshot", label) }
    /// Puts a copy back in place.
    public func restore(_ node: NodeName, label: String) throws { try change(node, "restore", label) }
    /// Drops a copy.
    public func dropSnapshot(_ node: NodeName, label: String) throws { try change(node, "drop", label) }

    private func change(_ node: NodeName, _ action: String, _ value: String) throws {
        var patient = self
        // A large volume takes its time to be copied.
        patient.patience = 7200
        _ = try patient.request("POST", "\(AdminPath.storage)/\(node)/\(action)/\(value)")
    }
}
