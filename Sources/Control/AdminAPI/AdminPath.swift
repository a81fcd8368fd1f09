/// The paths of the admin API, version 1; docs/guides/fleet.md lists them.
public enum AdminPath {
    /// GET: `StatusReply`.
    public static let status = "/v1/status"
    /// GET (`secrets=1`: with the hashes of passwords): the fleet as YAML.
    ///
    /// POST: apply a fleet file (`dry-run=1`, `prune=1`): `ApplyReply`.
    public static let fleet = "/v1/fleet"
    /// GET: a list of `NodeSummary`.
    ///
    /// POST of a `NodeDraft`: add a node. `/v1/nodes/NAME`: GET `NodeReply`, DELETE.
    public static let nodes = "/v1/nodes"
    /// `/v1/entries/KIND` (`network`, `profile`, `node`, `user`, `tag`): GET a list of `EntryRecord`.
    ///
    /// POST of an `EntryEdit`: `ApplyReply`. `/v1/entries/KIND/NAME`: GET `EntryRecord`, DELETE.
    public static let entries = "/v1/entries"
    /// POST a table of users as comma-separated values (`dry-run=1`): `ApplyReply`.
    public static let users = "/v1/users"
    /// POST: makes a copy of the registry in the state directory while it is in use: `RegistryCopy`.
    public static let backup = "/v1/backup"
    /// POST of a `RegistryCopy`: makes the registry what that file of the state directory holds.
    public static let restore = "/v1/restore"
    /// GET: a list of `UnknownMachineRecord`, the last seen first.
    public static let unknown = "/v1/unknown"
    /// GET: a list of `FileSetSummary`; `/v1/files/NAME`: a list of `ShownFile`.
    ///
    /// `/v1/nodes/NAME/files`: `RenderedFiles`; `/v1/nodes/NAME/keys`: `NodeKeys`.
    public static let files = "/v1/files"
    /// GET (`node=NAME`, `limit=N`): a list of `BootRecord`, the newest first.
    public static let boots = "/v1/boots"
    /// GET: a list of `Lease`.
    public static let leases = "/v1/leases"
    /// GET (`mac=MAC`, `arch=NAME`): `Explanation`.
    public static let explain = "/v1/explain"
    /// GET: a list of `NodeStorage`.
    ///
    /// `/v1/storage/NODE`: GET `NodeStorage`. `/v1/storage/NODE/reset/state|root|all`, `…/snapshot/LABEL`,
    /// `…/restore/LABEL`, `…/drop/LABEL`: POST.
    public static let storage = "/v1/storage"
    /// GET (`node=NAME`): events as they happen, one `EventRecord` a line, until the client leaves.
    public static let watch = "/v1/watch"
}

/// What every refused request is answered with.
public struct AdminProblem: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// One thing that is wrong in a text that was sent.
    public struct Place: Hashable, Sendable, Codable {
        /// The line, from 1; nil when it belongs to no place in the text.
        public var line: Int?
        /// The column, from 1.
        public var column: Int?
        /// What is wrong and how to mend it.
        public var message: String

        /// A place from its parts.
        public init(line: Int?, column: Int?, message: String) {
            self.line = line
            self.column = column
            self.message = message
        }
    }

    /// What is wrong and how to mend it: one line, or one a problem.
    public var error: String
    /// The places in the fleet file that was sent; empty for other requests.
    public var problems: [Place]

    /// A problem of one line.
    public init(_ error: String, problems: [Place] = []) {
        self.error = error
        self.problems = problems
    }

    /// What is wrong.
    public var description: String { error }

    /// The lines for a person who wrote `file`: `FILE:LINE:COLUMN: MESSAGE`.
    public func lines(file: String) -> [String] {
        guard !problems.isEmpty else { return [error] }
        return problems.map { problem in
            guard let line = problem.line, let column = problem.column else { return "\(file): \(problem.message)" }
            return "\(file):\(line):\(column): \(problem.message)"
        }
    }
}
