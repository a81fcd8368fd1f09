/// The bounds of an HTTP server.
public struct HTTPServerOptions: Sendable {
    /// Connections at a time; beyond that the one that has been idle for longest is closed.
    public var connections = 4096
    /// Connections at a time with one client address; beyond that its own that has been idle for longest is closed.
    public var connectionsPerPeer = 1024
    /// The largest body of a request in bytes.
    public var bodyLimit = 1 << 20
    /// Seconds a connection may lie idle between requests.
    public var idleSeconds = 60
    /// Seconds a request may take to arrive, from its first byte to the last of its body.
    public var requestSeconds = 15
    /// Seconds a client may take nothing of a reply before it is cut off.
    public var stallSeconds = 30
    /// Threads that read requests and send replies; 0 takes one for each core, at least two.
    public var workers = 0
    /// Threads for answers that may wait, beside those of streams.
    public var handlerThreads = 64

    /// The usual bounds.
    public init() {}
}
