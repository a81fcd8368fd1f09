import NBD
import Testing

/// SplitMix64: the same mutations in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Damaged bytes must end in a reply, a wait for more or a close; never in a trap or an endless loop.
@Suite struct MutationTests {
    @Test(arguments: 0..<8)
    func handshakeSurvivesDamage(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed))
        let good: [UInt8] =
            [0, 0, 0, 3] + optionBytes(.structuredReply) + optionBytes(.extendedHeaders) + optionBytes(.list)
            + optionBytes(.listMetaContext, contexts("disk", "base:"))
            + optionBytes(.setMetaContext, contexts("disk", "base:allocation"))
            + optionBytes(.info, open("disk", .name))
            + optionBytes(.go, open("disk", .blockSize, .description))
            + NBDRequest(.read, cookie: 1, length: 512).encoded
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...9, using: &random)))
                default: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff], at: at)
                }
            }
            var client = HandshakeDialogue(
                exports: ["disk": NBDExportDescription(size: 4096, flags: [])],
                flags: nil
            )
            let output = client.send(bytes)
            // Whatever comes in, what goes out stays in proportion.
            #expect(output.count <= 64 * bytes.count)
        }
    }

    @Test func requestsDecodeAndEncodeStably() throws {
        var random = SeededGenerator(state: 99)
        let session = NBDSession(exportName: "", size: 1 << 30, flags: [.hasFlags, .flush], headers: .structured)
        for _ in 0..<20_000 {
            var bytes = (0..<28).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes.replaceSubrange(0..<4, with: [0x25, 0x60, 0x95, 0x13])
            let request = try NBDRequest(decoding: bytes.span)
            #expect(request.encoded == bytes)
            if session.refusal(of: request) == nil {
                #expect(request.command == .flush || request.offset + request.length <= session.size)
            }
            bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes.replaceSubrange(0..<4, with: [0x21, 0xe4, 0x1c, 0x71])
            let extended = try NBDRequest(decoding: bytes.span, extended: true)
            #expect(extended.extendedHeader == bytes)
            if session.refusal(of: extended) == nil {
                #expect(extended.command == .flush || extended.length <= session.size - extended.offset)
            }
        }
    }
}
