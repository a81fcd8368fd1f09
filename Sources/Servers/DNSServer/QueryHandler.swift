import DNS
import NetworkTypes
import Synchronization

/// Says what becomes of a query: an answer now, a question to others, or nothing.
final class QueryHandler: Sendable {
    enum Outcome {
        /// This is the answer, of at most so many bytes over UDP.
        case reply(DNSMessage, limit: Int)
        /// Others know; their answer is kept under the key.
        case ask(query: DNSMessage, key: DNSCache.Key)
        /// No query, or nothing that could be answered.
        case nothing
    }

    /// Top-level names that are nobody's: RFC 6761 §6.4, RFC 6762 §22.1, RFC 7686 §2.
    private static let nobodys: [DNSName] = ["invalid", "local", "onion"].compactMap { DNSName($0) }
    private static let localhost = DNSName("localhost") ?? .root
    /// Types that are asked of a top-level domain itself.
    private static let zoneTypes: Set<RecordType> = [.ns, .soa, .ds, .dnskey]

    private let authority: any DNSAuthority
    private let forwards: Bool
    private let cache: Mutex<DNSCache>

    init(authority: any DNSAuthority, options: DNSServerOptions) {
        self.authority = authority
        forwards = !options.upstreams.isEmpty
        cache = Mutex(DNSCache(entryLimit: options.cacheEntries, byteLimit: options.cacheBytes))
    }

    func outcome(_ bytes: Span<UInt8>, from peer: IPv4Address) -> Outcome {
        let query: DNSMessage
        do throws(DNSDecodingError) { query = try DNSMessage(bytes) } catch {
            return refusal(of: bytes)
        }
        // An answer to an answer would go to and fro for ever.
        guard !query.isResponse else { return .nothing }
        let limit = query.payloadLimit
        guard query.operation == .query else { return .reply(query.reply(.notImplemented), limit: limit) }
        guard query.questions.count == 1, let question = query.questions.first, let key = DNSCache.Key(query) else {
            return .reply(query.reply(.formatError), limit: limit)
        }
        if let extended = query.extended, extended.version > 0 { return .reply(query.reply(.badVersion), limit: limit) }
        let mayRecurse = forwards && authority.serves(peer)
        var reply = query.reply()
        reply.offersRecursion = mayRecurse
        guard question.type != .axfr, question.type != .ixfr, question.type != .opt,
            question.recordClass == .internet || question.recordClass == .any
        else {
            reply.code = .refused
            return .reply(reply, limit: limit)
        }
        if let answer = authority.answer(to: question) {
            reply.isAuthoritative = true
            return .reply(filled(reply, answer), limit: limit)
        }
        if let answer = ownAnswer(to: question) { return .reply(filled(reply, answer), limit: limit) }
        guard mayRecurse, query.wantsRecursion else {
            reply.code = .refused
            return .reply(reply, limit: limit)
        }
        if let kept = cache.withLock({ $0.answer(to: key, now: seconds()) }) {
            return .reply(Self.reply(to: query, with: kept), limit: limit)
        }
        return .ask(query: query, key: key)
    }

    /// Bytes whose header can be read get FORMERR with their id; others get nothing.
    private func refusal(of bytes: Span<UInt8>) -> Outcome {
        guard bytes.count >= 12, bytes[2] & 0x80 == 0 else { return .nothing }
        let query = DNSMessage(
            id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]),
            flags: UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        )
        return .reply(query.reply(.formatError), limit: query.payloadLimit)
    }

    private func filled(_ reply: DNSMessage, _ answer: AuthoritativeAnswer) -> DNSMessage {
        var reply = reply
        reply.code = answer.code
        reply.answers = answer.answers
        reply.authorities = answer.authorities
        return reply
    }

    /// Names that are never asked of others: `localhost`, names of one label, names that are nobody's.
    private func ownAnswer(to question: DNSQuestion) -> AuthoritativeAnswer? {
        if question.name.isWithin(Self.localhost) {
            guard question.type == .a || question.type == .any else { return AuthoritativeAnswer() }
            return AuthoritativeAnswer(answers: [DNSRecord(question.name, ttl: 600, .address(.loopback))])
        }
        if Self.nobodys.contains(where: { question.name.isWithin($0) }) {
            return AuthoritativeAnswer(code: .noSuchName)
        }
        guard question.name.labelCount == 1, !Self.zoneTypes.contains(question.type) else { return nil }
        return authority.shortAnswer(to: question) ?? AuthoritativeAnswer(code: .noSuchName)
    }

    /// Keeps what others answered.
    func keep(_ message: DNSMessage, for key: DNSCache.Key, size: Int) {
        cache.withLock { $0.keep(message, for: key, size: size, now: seconds()) }
    }

    /// The reply to a query with the records that others gave; nil stands for their silence.
    static func reply(to query: DNSMessage, with answer: DNSMessage?) -> DNSMessage {
        var reply = query.reply(answer?.code ?? .serverFailure)
        reply.offersRecursion = true
        if let answer {
            reply.answers = answer.answers
            reply.authorities = answer.authorities
            reply.additionals = answer.additionals
            reply.isTruncated = answer.isTruncated
        }
        return reply
    }

    private func seconds() -> Int64 { Int64(monotonicMilliseconds() / 1000) }
}
