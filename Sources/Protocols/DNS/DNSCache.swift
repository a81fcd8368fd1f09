/// Keeps answers of other servers for as long as their records live: pure state, the time is given.
///
/// Whole answers are kept by what was asked, so what a server says about one name never speaks for another. Bounded in
/// entries and bytes; the oldest go first.
public struct DNSCache: Sendable {
    /// What was asked, with all that changes the answer.
    public struct Key: Hashable, Sendable {
        /// The question.
        public var question: DNSQuestion
        /// Whether DNSSEC records were wanted (DO).
        public var wantsSignatures: Bool
        /// Whether unproved data was wanted (CD).
        public var isCheckingDisabled: Bool

        /// The key of a query; nil when it has not one question.
        public init?(_ query: DNSMessage) {
            guard query.questions.count == 1, let question = query.questions.first else { return nil }
            self.question = question
            wantsSignatures = query.extended?.wantsSignatures ?? false
            isCheckingDisabled = query.isCheckingDisabled
        }
    }

    private struct Entry: Sendable {
        var message: DNSMessage
        var stored: Int64
        var expires: Int64
        var bytes: Int
        var turn: UInt64
    }

    /// The most that an answer is kept, in seconds.
    public static let longestTTL: Int64 = 86_400
    /// The most that the absence of a name is kept, in seconds (RFC 2308 §5 allows three hours).
    public static let longestNegativeTTL: Int64 = 3600
    /// How long a server's failure is kept, in seconds (RFC 2308 §7.1 allows five minutes).
    public static let failureTTL: Int64 = 5

    private let entryLimit: Int
    private let byteLimit: Int
    private var entries: [Key: Entry] = [:]
    private var order: [(key: Key, turn: UInt64)] = []
    private var orderStart = 0
    private var turn: UInt64 = 0
    /// How many bytes of records are kept, as they are on the wire.
    public private(set) var bytes = 0

    /// An empty cache of at most so many answers and bytes of records.
    public init(entryLimit: Int = 10_000, byteLimit: Int = 8 << 20) {
        self.entryLimit = max(1, entryLimit)
        self.byteLimit = byteLimit
    }

    /// How many answers are kept, dead ones included.
    public var count: Int { entries.count }

    /// The kept answer, the lives of its records shortened by the time that has passed; nil when there is none alive.
    public func answer(to key: Key, now: Int64) -> DNSMessage? {
        guard let entry = entries[key], now < entry.expires, now >= entry.stored else { return nil }
        var message = entry.message
        let age = UInt32(clamping: now - entry.stored)
        func shorten(_ records: inout [DNSRecord]) {
            for index in records.indices { records[index].ttl = records[index].ttl - min(age, records[index].ttl) }
        }
        shorten(&message.answers)
        shorten(&message.authorities)
        shorten(&message.additionals)
        return message
    }

    /// Keeps an answer of so many bytes, when it may be kept.
    public mutating func keep(_ message: DNSMessage, for key: Key, size: Int, now: Int64) {
        guard let life = Self.life(of: message), life > 0, size <= byteLimit else { return }
        remove(key)
        turn += 1
        entries[key] = Entry(message: message, stored: now, expires: now + life, bytes: size, turn: turn)
        order.append((key, turn))
        bytes += size
        while entries.count > entryLimit || bytes > byteLimit { dropOldest() }
        // Replaced answers leave their old places behind; they must not pile up.
        if order.count - orderStart > 2 * entries.count + 16 || orderStart > entryLimit { tidy() }
    }

    /// Forgets everything.
    public mutating func removeAll() {
        self = DNSCache(entryLimit: entryLimit, byteLimit: byteLimit)
    }

    private mutating func remove(_ key: Key) {
        guard let old = entries.removeValue(forKey: key) else { return }
        bytes -= old.bytes
    }

    private mutating func dropOldest() {
        guard orderStart < order.count else { return }
        let oldest = order[orderStart]
        orderStart += 1
        if entries[oldest.key]?.turn == oldest.turn { remove(oldest.key) }
    }

    private mutating func tidy() {
        order = order[orderStart...].filter { entries[$0.key]?.turn == $0.turn }
        orderStart = 0
    }

    /// For how many seconds an answer may be kept; nil when not at all.
    static func life(of message: DNSMessage) -> Int64? {
        guard !message.isTruncated else { return nil }
        switch message.code {
        case .noError where !message.answers.isEmpty:
            let all = message.answers + message.authorities + message.additionals
            return min(all.map { life($0.ttl) }.min() ?? 0, longestTTL)
        case .noError, .noSuchName:
            // RFC 2308 §5: without the SOA record there is no telling for how long.
            let lives = message.authorities.compactMap { record -> Int64? in
                guard case .startOfAuthority(let start) = record.data else { return nil }
                return min(life(record.ttl), life(start.negativeTTL))
            }
            guard let shortest = lives.min() else { return nil }
            return min(shortest, longestNegativeTTL)
        case .serverFailure: return failureTTL
        default: return nil
        }
    }

    /// RFC 2181 §8: a life whose highest bit is set is none.
    private static func life(_ ttl: UInt32) -> Int64 { ttl > 0x7fff_ffff ? 0 : Int64(ttl) }
}
