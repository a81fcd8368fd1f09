/// A set of overlay files, as a list shows it.
public struct FileSetSummary: Hashable, Sendable, Codable {
    /// Its name.
    public var name: String
    /// Where it is: a directory, or "built in".
    public var place: String
    /// What it is for; nil for a directory.
    public var summary: String?
    /// The sets that it consists of.
    public var parts: [String]

    /// A summary from its parts.
    public init(name: String, place: String, summary: String?, parts: [String]) {
        self.name = name
        self.place = place
        self.summary = summary
        self.parts = parts
    }
}

/// One overlay file as people see it: a secret content is never in it.
public struct ShownFile: Hashable, Sendable, Codable {
    /// The path on the node, without a leading slash.
    public var path: String
    /// `file`, `directory` or `link`.
    public var kind: String
    /// The mode in octal digits.
    public var mode: String
    /// The owner's number.
    public var owner: UInt32
    /// The group's number.
    public var group: UInt32
    /// The bytes of its content.
    public var size: Int
    /// Where it came from: `set base (built in)`.
    public var source: String
    /// Whether its content is shown to nobody.
    public var isSecret: Bool
    /// The content, or a link's target; nil when it is secret, no text, or longer than people read.
    public var text: String?
    /// Tells one content from another; of a secret one nobody learns anything from it.
    public var digest: String

    /// A file from its parts.
    public init(
        path: String,
        kind: String,
        mode: String,
        owner: UInt32,
        group: UInt32,
        size: Int,
        source: String,
        isSecret: Bool,
        text: String?,
        digest: String
    ) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
        self.source = source
        self.isSecret = isSecret
        self.text = text
        self.digest = digest
    }

    /// Whether a node would see no difference between this file and another.
    public func isSame(as other: ShownFile) -> Bool {
        (path, kind, mode) == (other.path, other.kind, other.mode)
            && (owner, group, digest) == (other.owner, other.group, other.digest)
    }
}

/// What a node's overlay files would be now, and what they were at its last boot.
public struct RenderedFiles: Hashable, Sendable, Codable {
    /// The node.
    public var node: String
    /// The files as they would be at its next boot.
    public var files: [ShownFile]
    /// Those of its last boot; nil when it has not booted with this server.
    public var last: [ShownFile]?

    /// From its parts.
    public init(node: String, files: [ShownFile], last: [ShownFile]?) {
        self.node = node
        self.files = files
        self.last = last
    }
}

/// What the world may know of a node's ssh server.
public struct NodeKeys: Hashable, Sendable, Codable {
    /// The node.
    public var node: String
    /// Lines for a known_hosts file.
    public var knownHosts: [String]
    /// SSHFP records.
    public var sshfp: [String]

    /// From its parts.
    public init(node: String, knownHosts: [String], sshfp: [String]) {
        self.node = node
        self.knownHosts = knownHosts
        self.sshfp = sshfp
    }
}
