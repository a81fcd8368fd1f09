/// The bounds of an HTTP server.
public struct HTTPServerOptions: Sendable {
    /// Connections at a time; beyond that the one that has been idle for longest is closed.
    public var connections = 1024
    /// The largest body of a request in bytes.
    public var bodyLimit = 1 << 20
    /// Seconds a connection may lie idle between requests.
    public var idleSeconds = 60
    /// Seconds a request may take to arrive, from its first byte to the last of its body.
    public var requestSeconds = 15
    /// Seconds a client may take nothing of a reply before it is cut off.
    public var stallSeconds = 30

    /// The usual bounds.
    public init() {}
}
