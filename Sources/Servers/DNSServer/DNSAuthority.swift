public import DNS
public import NetworkTypes

/// Knows the names that are ours.
///
/// Asked for every question, from several threads.
public protocol DNSAuthority: Sendable {
    /// The answer when the name is in a zone of ours; nil when it is others'.
    func answer(to question: DNSQuestion) -> AuthoritativeAnswer?
    /// The answer to a name of one label, which is never asked of others; nil when we do not know it.
    func shortAnswer(to question: DNSQuestion) -> AuthoritativeAnswer?
    /// Whether a machine may ask for names of others.
    func serves(_ address: IPv4Address) -> Bool
}

/// What a DNS server is started with.
public struct DNSServerOptions: Sendable {
    /// Where names of others are asked, in this order; none: they are refused.
    public var upstreams: [Endpoint]
    /// How many answers of others are kept.
    public var cacheEntries = 10_000
    /// How many bytes of records are kept.
    public var cacheBytes = 8 << 20
    /// How many questions may be on their way to others at a time.
    public var questionsUnderWay = 1000
    /// TCP connections at a time.
    public var connections = 64
    /// TCP connections of one client at a time.
    public var connectionsOfOne = 8
    /// Seconds a TCP client may take for its next question.
    public var idleSeconds = 10
    /// Milliseconds that each further try waits for its answer.
    public var patience: [UInt64] = [1000, 1500, 2500]

    /// The usual bounds.
    public init(upstreams: [Endpoint] = []) { self.upstreams = upstreams }
}
