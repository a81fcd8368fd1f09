/// What a zone of ours says to a question.
public struct AuthoritativeAnswer: Hashable, Sendable {
    /// NOERROR, or NXDOMAIN when there is no such name.
    public var code: ResponseCode
    /// The records that answer; none when the name has none of the type that was asked.
    public var answers: [DNSRecord]
    /// The zone's SOA when there is no record, so that others know for how long (RFC 2308 §3).
    public var authorities: [DNSRecord]

    /// An answer from its parts.
    public init(code: ResponseCode = .noError, answers: [DNSRecord] = [], authorities: [DNSRecord] = []) {
        self.code = code
        self.answers = answers
        self.authorities = authorities
    }
}
