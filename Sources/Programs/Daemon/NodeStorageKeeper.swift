import AdminAPI
import BlockStorage
import BootModel
import CLinux
import Foundation
import Logging
import TreeMounts

/// What the state directory keeps for each node, measured, dropped, copied and put back.
final class NodeStorageKeeper: NodeStorageKeeping {
    private let state: StateDirectory
    private let registry: any NodeRegistry
    private let grants: GrantStore
    private let trees: TreeStore?
    private let claims: NodeClaims
    /// The nodes that have a connection now, or whose agent is there.
    private let connected: @Sendable () -> Set<NodeName>
    private let clock: any BootModel.Clock
    private let started: Timestamp
    private let logger: Logger

    init(
        state: StateDirectory,
        registry: any NodeRegistry,
        grants: GrantStore,
        trees: TreeStore?,
        claims: NodeClaims,
        connected: @escaping @Sendable () -> Set<NodeName>,
        clock: any BootModel.Clock,
        logger: Logger
    ) {
        self.state = state
        self.registry = registry
        self.grants = grants
        self.trees = trees
        self.claims = claims
        self.connected = connected
        self.clock = clock
        started = clock.now()
        self.logger = logger
    }

    func storage() throws -> [NodeStorage] {
        let folders = [state.nodes, state.trees, state.layers].flatMap(names)
        return try Set(folders.compactMap { NodeName($0) }).sorted().map(storage)
            .filter { !$0.parts.isEmpty }
    }

    func storage(of node: NodeName) throws -> NodeStorage {
        var parts: [NodeStorage.Part] = []
        func add(_ kind: String, _ path: String, name: String? = nil, isSized: Bool = false) {
            guard let used = Self.used(path) else { return }
            parts.append(NodeStorage.Part(kind: kind, name: name, used: used, size: isSized ? Self.size(path) : nil))
        }
        add("state", state.state(of: node))
        add("root", state.root(of: node))
        add("volume", state.volume(of: node), isSized: true)
        let own = "\(state.nodes)/\(node)"
        for name in names(own) where name.hasPrefix("swap-") { add("swap", "\(own)/\(name)", isSized: true) }
        for folder in [state.trees, state.layers] {
            for boot in names("\(folder)/\(node)") { add("layer", "\(folder)/\(node)/\(boot)", name: boot) }
        }
        for label in names("\(own)/snapshots") where !label.hasPrefix(".") {
            add("snapshot", "\(own)/snapshots/\(label)", name: label)
        }
        let isKnown = try registry.fleet().nodes[node] != nil || grants.newest(of: node) != nil
        return NodeStorage(
            node: node,
            isKnown: isKnown,
            isConnected: connected().contains(node),
            parts: parts
        )
    }

    func reset(_ node: NodeName, _ what: StorageReset) throws {
        try whileOff(node, "reset") { [state, grants] in
            let own = "\(state.nodes)/\(node)"
            if what != .root { try Self.remove(state.state(of: node)) }
            guard what != .state else { return }
            // A boot that was only silent must not go on with an empty volume; what it writes to alone is free for others.
            grants.end(node)
            try TreeLayer(state.root(of: node)).clear()
            try Self.remove(state.volume(of: node))
            for name in Self.names(own) where name.hasPrefix("swap-") { try Self.remove("\(own)/\(name)") }
            for folder in [state.trees, state.layers, state.unflushed] { try Self.remove("\(folder)/\(node)") }
        }
        logger.notice("reset \(what.rawValue)", metadata: ["node": "\(node)"])
    }

    /// What a snapshot holds, by the names of the node's directory.
    private static let copied = ["state", "root", "volume"]

    func snapshot(_ node: NodeName, label: String) throws {
        try whileOff(node, "snapshot") { [state] in
            let own = "\(state.nodes)/\(node)"
            let (path, draft) = ("\(own)/snapshots/\(label)", "\(own)/snapshots/.\(label)")
            guard !FileManager.default.fileExists(atPath: path) else {
                throw SetupError("node \(node) has a snapshot \(label) already: choose another label, or drop it first")
            }
            try Self.remove(draft)
            try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            var count = 0
            for name in Self.copied where FileManager.default.fileExists(atPath: "\(own)/\(name)") {
                try Self.copy("\(own)/\(name)", "\(draft)/\(name)")
                count += 1
            }
            guard count > 0 else {
                try Self.remove(draft)
                throw SetupError("nothing is kept for node \(node)")
            }
            try FileManager.default.moveItem(atPath: draft, toPath: path)
        }
    }

    func restore(_ node: NodeName, label: String) throws {
        try whileOff(node, "restore") { [state, grants] in
            let own = "\(state.nodes)/\(node)"
            let path = "\(own)/snapshots/\(label)"
            guard FileManager.default.fileExists(atPath: path) else {
                let known = Self.names("\(own)/snapshots").filter { !$0.hasPrefix(".") }.joined(separator: ", ")
                throw SetupError("node \(node) has no snapshot \(label)\(known.isEmpty ? "" : ": there is \(known)")")
            }
            // Everything is copied before anything is replaced.
            for name in Self.copied { try Self.remove("\(own)/.restoring-\(name)") }
            let kept = Self.copied.filter { FileManager.default.fileExists(atPath: "\(path)/\($0)") }
            for name in kept { try Self.copy("\(path)/\(name)", "\(own)/.restoring-\(name)") }
            let count = TreeLayer(state.root(of: node)).count
            // A boot that was only silent must not go on with what it does not know.
            grants.end(node)
            for name in Self.copied { try Self.remove("\(own)/\(name)") }
            for name in kept {
                try FileManager.default.moveItem(atPath: "\(own)/.restoring-\(name)", toPath: "\(own)/\(name)")
            }
            FileStorage.forgetFailure(of: state.volume(of: node))
            // Handles of the copied layer mean other files now.
            if kept.contains("root") { try TreeLayer(state.root(of: node)).forgetHandles(after: count) }
        }
        logger.notice("restored \(label)", metadata: ["node": "\(node)"])
    }

    func dropSnapshot(_ node: NodeName, label: String) throws {
        let path = "\(state.nodes)/\(node)/snapshots/\(label)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw SetupError("node \(node) has no snapshot \(label)")
        }
        try Self.remove(path)
    }

    /// After how many seconds nodes that went on while the server was away have come back to it; an agent waits longest.
    private static let returning = 35

    /// Runs `body` on this thread while nothing of the node is open; a node that boots meanwhile waits, or tries again.
    private func whileOff(_ node: NodeName, _ action: String, _ body: () throws -> Void) throws {
        try claims.whileUnused(node, for: action) {
            // From here on nothing of it is opened: who is not there now does not come before the end.
            try checkOff(node, action)
            trees?.end(node)
            try body()
        }
    }

    private func checkOff(_ node: NodeName, _ action: String) throws {
        guard !connected().contains(node) else { throw NodeClaims.isRunning(node, action) }
        // After a restart of the server it takes a while until those who run have come back.
        let age = Int(clock.now().seconds(since: started))
        guard age >= Self.returning || grants.newest(of: node) == nil else {
            throw SetupError(
                "this server started \(age) s ago, and node \(node) may still run on it:"
                    + " the \(action) is possible in \(Self.returning - age) s"
            )
        }
    }

    // MARK: Files

    private func names(_ path: String) -> [String] { Self.names(path) }

    private static func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try HostTool.run("rm", ["-rf", "--one-file-system", "--", path])
    }

    private static func copy(_ source: String, _ target: String) throws {
        try HostTool.run("cp", ["-a", "--reflink=auto", "--sparse=always", "--", source, target])
    }

    private static func size(_ path: String) -> Int64? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// The room that a file or a directory with all that is in it takes, in bytes; nil when it is not there.
    private static func used(_ path: String) -> Int64? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let said = try? HostTool.run("du", ["-sxB1", "--", path], fine: [0, 1])
        return said?.split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) } ?? 0
    }
}
