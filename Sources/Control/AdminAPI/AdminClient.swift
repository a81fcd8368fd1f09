public import BootModel
import Foundation
import NetworkIO
public import NetworkTypes

/// Talks to a running server over its Unix socket, one connection a request; every call waits for the answer.
public struct AdminClient: Sendable {
    /// The socket.
    public let socketPath: String
    /// Seconds without a byte after which an answer is given up; a watch waits for ever.
    public var patience: Double = 120

    /// A client of the server that listens at `socketPath`.
    public init(socketPath: String) { self.socketPath = socketPath }

    /// What is running.
    public func status() throws -> StatusReply { try json("GET", AdminPath.status) }
    /// The fleet as YAML, with the hashes of passwords or without.
    public func fleetFile(withSecrets: Bool = false) throws -> String {
        let query = Self.query([("secrets", withSecrets ? "1" : nil)])
        return String(decoding: try request("GET", AdminPath.fleet + query), as: UTF8.self)
    }
    /// The entries of a kind: `profile`, `network`, `user`.
    public func entries(_ kind: String) throws -> [EntryRecord] { try json("GET", "\(AdminPath.entries)/\(kind)") }
    /// One entry.
    public func entry(_ kind: String, _ name: String) throws -> EntryRecord {
        try json("GET", "\(AdminPath.entries)/\(kind)/\(name)")
    }
    /// Changes entries of a kind.
    public func edit(_ kind: String, _ edit: EntryEdit) throws -> ApplyReply {
        try json("POST", "\(AdminPath.entries)/\(kind)", body: Array(try JSONEncoder().encode(edit)))
    }
    /// Removes an entry.
    public func removeEntry(_ kind: String, _ name: String) throws {
        _ = try request("DELETE", "\(AdminPath.entries)/\(kind)/\(name)")
    }
    /// Adds and changes the users of a table, or tells what that would change.
    public func importUsers(_ table: String, dryRun: Bool = false) throws -> ApplyReply {
        let query = Self.query([("dry-run", dryRun ? "1" : nil)])
        return try json("POST", AdminPath.users + query, body: Array(table.utf8))
    }
    /// Makes a copy of the registry in the state directory; whoever asks removes it.
    public func copyRegistry() throws -> RegistryCopy { try json("POST", AdminPath.backup) }
    /// Makes the registry what a copy in the state directory holds; tells how the fleet changed.
    public func restoreRegistry(_ copy: RegistryCopy) throws -> ApplyReply {
        try json("POST", AdminPath.restore, body: Array(try JSONEncoder().encode(copy)))
    }
    /// Makes the fleet what the file says, or tells what that would change.
    public func apply(_ text: String, dryRun: Bool = false, prune: Bool = false) throws -> ApplyReply {
        let query = Self.query([("dry-run", dryRun ? "1" : nil), ("prune", prune ? "1" : nil)])
        return try json("POST", AdminPath.fleet + query, body: Array(text.utf8))
    }
    /// Every node.
    public func nodes() throws -> [NodeSummary] { try json("GET", AdminPath.nodes) }
    /// Every node as a line of a table: at ten thousand nodes several times as fast.
    public func nodeLines() throws -> [NodeLine] {
        let body = try request("GET", AdminPath.nodes + Self.query([("lines", "1")]))
        guard let lines = NodeLine.lines(body) else { throw AdminClientError.unreadable(socketPath) }
        return lines
    }
    /// Everything about one node.
    public func node(_ name: NodeName) throws -> NodeReply { try json("GET", "\(AdminPath.nodes)/\(name)") }
    /// The machines that asked how to boot and have no name, the last seen first.
    public func unknownMachines() throws -> [UnknownMachineRecord] { try json("GET", AdminPath.unknown) }
    /// Adds a node.
    public func add(_ draft: NodeDraft) throws -> NodeSummary {
        try json("POST", AdminPath.nodes, body: Array(try JSONEncoder().encode(draft)))
    }
    /// Removes a node.
    public func remove(_ name: NodeName) throws { _ = try request("DELETE", "\(AdminPath.nodes)/\(name)") }
    /// The newest boots, of one node or of all.
    public func boots(of node: NodeName? = nil, limit: Int = 20) throws -> [BootRecord] {
        try json("GET", AdminPath.boots + Self.query([("node", node?.text), ("limit", String(limit))]))
    }
    /// Every set of overlay files.
    public func fileSets() throws -> [FileSetSummary] { try json("GET", AdminPath.files) }
    /// The files of a set as they lie there.
    public func fileSet(_ name: String) throws -> [ShownFile] {
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#%".utf8.contains($0) }) else {
            throw AdminProblem("\"\(name)\" is not the name of a set")
        }
        return try json("GET", "\(AdminPath.files)/\(name)")
    }
    /// The overlay files of a node.
    public func files(of node: NodeName) throws -> RenderedFiles {
        try json("GET", "\(AdminPath.nodes)/\(node)/files")
    }
    /// The public keys of a node.
    public func keys(of node: NodeName) throws -> NodeKeys { try json("GET", "\(AdminPath.nodes)/\(node)/keys") }
    /// Every lease.
    public func leases() throws -> [Lease] { try json("GET", AdminPath.leases) }
    /// What a machine would get.
    public func explain(_ mac: MACAddress, architecture: ClientArchitecture? = nil) throws -> Explanation {
        try json("GET", AdminPath.explain + Self.query([("mac", mac.dashed), ("arch", architecture?.name)]))
    }

    /// Calls `handler` for each event, of one node or of all, until it returns false or the server ends.
    ///
    /// `ready` is called once no event can be missed any more.
    public func watch(
        node: NodeName? = nil,
        ready: () -> Void = {},
        _ handler: (EventRecord) throws -> Bool
    ) throws {
        let connection = try AdminConnection(socketPath, patience: 0)
        try connection.send("GET", AdminPath.watch + Self.query([("node", node?.text)]), body: [])
        try refuse(connection)
        while let line = try connection.line() {
            if line.isEmpty {
                ready()
            } else if try !handler(decode(line)) {
                return
            }
        }
    }

    /// The body of the answer to one request, as it came.
    ///
    /// Throws `AdminClientError` when nobody answers, `AdminProblem` when the server refuses.
    public func request(_ method: String, _ target: String, body: [UInt8] = []) throws -> [UInt8] {
        let connection = try AdminConnection(socketPath, patience: patience)
        try connection.send(method, target, body: body)
        try refuse(connection)
        return try connection.body()
    }

    func json<Value: Decodable>(_ method: String, _ target: String, body: [UInt8] = []) throws -> Value {
        try decode(try request(method, target, body: body))
    }

    func decode<Value: Decodable>(_ bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw AdminClientError.unreadable(socketPath)
        }
    }

    func refuse(_ connection: AdminConnection) throws {
        let status = try connection.head()
        guard !(200..<300).contains(status) else { return }
        let body = try connection.body()
        guard let problem = try? JSONDecoder().decode(AdminProblem.self, from: Data(body)) else {
            let text = String(decoding: body.prefix(200), as: UTF8.self).filter { !$0.isNewline }
            throw AdminProblem("the server answered with status \(status): \(text)")
        }
        throw problem
    }

    private static func query(_ items: [(String, String?)]) -> String {
        let pairs = items.compactMap { item in item.1.map { "\(item.0)=\($0)" } }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }
}

/// The server cannot be spoken with.
public enum AdminClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody listens at the socket.
    case notRunning(String)
    /// The socket is not ours to use.
    case notAllowed(String)
    /// The answer makes no sense.
    case unreadable(String)
    /// The connection broke.
    case broken(String, reason: String)

    /// One line: what is wrong and how to mend it.
    public var description: String {
        switch self {
        case .notRunning(let path):
            "no diskless server answers at \(path): start one with 'diskless serve' or 'systemctl start diskless',"
                + " or name its state directory with --state"
        case .notAllowed(let path): "\(path) may be used by root only: run this as root, or with sudo"
        case .unreadable(let path):
            "the server at \(path) answered something else than expected: client and server may be of different versions"
        case .broken(let path, let reason): "the connection to the server at \(path) broke: \(reason)"
        }
    }
}
