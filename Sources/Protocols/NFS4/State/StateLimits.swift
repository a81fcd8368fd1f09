/// How much clients may keep at the server; what goes beyond is refused, never grown into.
public struct NFS4Limits: Sendable {
    /// Clients that are known at the same time.
    public var clients = 4096
    /// Clients of one address: a node is one, or a few with containers, but many nodes may be behind one router.
    public var clientsPerAddress = 2048
    /// Sessions of one client; Linux has one.
    public var sessions = 4
    /// Connections that a session remembers.
    public var connections = 16
    /// Requests under way in one session.
    public var slots = 64
    /// Longest reply that a slot keeps, in bytes; about what the server of Linux has.
    public var cachedReply: UInt32 = 2304
    /// How much the slots of all sessions may keep, in bytes; one address gets half of it.
    public var keptReplies = 256 << 20
    /// Longest request, in bytes.
    public var request: UInt32 = 260 << 10
    /// Longest reply, in bytes.
    public var reply: UInt32 = (1 << 20) + 4096
    /// Owners of one client.
    public var owners = 16384
    /// Opens, lock states and delegations of one client.
    public var states = 32768
    /// The same for all clients; when half is taken, one address gets no more than it leaves to the others.
    public var allStates = 262_144
    /// Byte ranges that are locked in one file.
    public var ranges = 16384
    /// Locks that all clients wait for; who waits for a further one is not told of it.
    public var waiters = 16384
    /// Delegations of all clients.
    public var delegations = 65536
    /// How long a silent client keeps what it has, in milliseconds.
    public var lease: UInt64 = 60_000
    /// How long the holder of a delegation may take to say what its file is like, in milliseconds; its asker waits so long.
    public var answer: UInt64 = 300
    /// Whether delegations are given.
    public var givesDelegations = true

    /// The limits of a server for a thousand nodes.
    public init() {}
}
