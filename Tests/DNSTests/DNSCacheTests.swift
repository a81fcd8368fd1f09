import NetworkTypes
import Testing

@testable import DNS

@Suite("The cache of answers")
struct DNSCacheTests {
    private func query(_ text: String, _ type: RecordType = .a) throws -> DNSCache.Key {
        try #require(DNSCache.Key(DNSMessage(id: 1, questions: [DNSQuestion(name(text), type)])))
    }

    private func answer(_ text: String, ttl: UInt32) -> DNSMessage {
        DNSMessage(id: 1, flags: 0x8180, answers: [DNSRecord(name(text), ttl: ttl, .address(.loopback))])
    }

    @Test func livesAsLongAsItsShortestRecord() throws {
        var cache = DNSCache()
        let key = try query("a.example")
        var message = answer("a.example", ttl: 100)
        message.answers.append(DNSRecord(name("a.example"), ttl: 30, .address(.any)))
        cache.keep(message, for: key, size: 60, now: 1000)
        #expect(cache.answer(to: key, now: 1010)?.answers.map(\.ttl) == [90, 20])
        #expect(cache.answer(to: try query("A.EXAMPLE"), now: 1029)?.answers.count == 2)
        #expect(cache.answer(to: key, now: 1030) == nil)
        #expect(cache.answer(to: try query("a.example", .aaaa), now: 1001) == nil)
    }

    @Test func keepsThatThereIsNothing() throws {
        var cache = DNSCache()
        let key = try query("no.example")
        var message = DNSMessage(id: 1, flags: 0x8180, code: .noSuchName)
        cache.keep(message, for: key, size: 60, now: 0)
        #expect(cache.answer(to: key, now: 0) == nil, "without SOA nobody knows for how long")
        let start = StartOfAuthority(
            server: .root,
            mailbox: .root,
            serial: 1,
            refresh: 1,
            retry: 1,
            expire: 1,
            negativeTTL: 20
        )
        message.authorities = [DNSRecord(name("example"), ttl: 300, .startOfAuthority(start))]
        cache.keep(message, for: key, size: 60, now: 0)
        #expect(cache.answer(to: key, now: 19)?.code == .noSuchName)
        #expect(cache.answer(to: key, now: 20) == nil)
    }

    @Test func keepsNeitherCutNorZeroNorRefused() throws {
        var cut = answer("a.example", ttl: 10)
        cut.isTruncated = true
        var refused = answer("a.example", ttl: 10)
        refused.code = .refused
        #expect(DNSCache.life(of: cut) == nil)
        #expect(DNSCache.life(of: refused) == nil)
        #expect(DNSCache.life(of: answer("a.example", ttl: 0)) == 0)
        #expect(DNSCache.life(of: answer("a.example", ttl: 0x8000_0000)) == 0)
        #expect(DNSCache.life(of: answer("a.example", ttl: 0x7fff_ffff)) == DNSCache.longestTTL)
    }

    @Test func staysWithinItsBounds() throws {
        var cache = DNSCache(entryLimit: 50, byteLimit: 4000)
        for number in 0..<1000 {
            cache.keep(answer("n\(number).example", ttl: 60), for: try query("n\(number).example"), size: 100, now: 0)
            cache.keep(answer("same.example", ttl: 60), for: try query("same.example"), size: 100, now: 0)
            #expect(cache.count <= 50 && cache.bytes <= 4000)
        }
        #expect(cache.count == 40)
        #expect(cache.answer(to: try query("n999.example"), now: 1) != nil)
        #expect(cache.answer(to: try query("n1.example"), now: 1) == nil)
        cache.keep(answer("big.example", ttl: 60), for: try query("big.example"), size: 5000, now: 0)
        #expect(cache.answer(to: try query("big.example"), now: 1) == nil)
    }
}
