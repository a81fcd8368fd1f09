import DNS

/// Decode, encode, decode is stable; an answer that is cut fits; the cache keeps within its bounds and gives back what it
/// took.
func fuzzDNS(_ bytes: Span<UInt8>) {
    guard let message = try? DNSMessage(bytes) else { return }
    let encoded = message.encoded()
    precondition(encoded.count <= DNSMessage.lengthLimit, "a message longer than TCP can carry")
    guard let again = try? DNSMessage(encoded.span) else { preconditionFailure("an encoded message cannot be decoded") }
    // Names that were compressed in foreign data are written out: such a message may have grown beyond the limit.
    if again.isTruncated == message.isTruncated { precondition(again == message, "encoding is not stable") }
    let questions =
        message.questions.reduce(12) { $0 + $1.name.wire.count + 4 } + (message.extended?.options.count ?? 0) + 11
    let cut = message.encoded(limit: 512)
    precondition(cut.count <= max(512, questions), "a cut message is too long")
    precondition((try? DNSMessage(cut.span)) != nil, "a cut message cannot be decoded")
    for name in message.questions.map(\.name) + message.answers.map(\.name) {
        precondition(DNSName(name.description) == name, "a name's text is another name")
        precondition(name.isWithin(name) && name.isWithin(.root), "a name is not within itself")
    }
    guard let key = DNSCache.Key(message) else { return }
    var cache = DNSCache(entryLimit: 2, byteLimit: 4096)
    for now: Int64 in 0..<4 {
        cache.keep(message, for: key, size: bytes.count, now: now)
        precondition(cache.bytes <= 4096 && cache.count <= 2, "the cache grows without bound")
        if let kept = cache.answer(to: key, now: now) {
            precondition(kept.answers.count == message.answers.count, "the cache lost a record")
        }
    }
}
