/// The secret that seals handles: whoever does not have it cannot make a handle that we take for ours.
///
/// The seal is SipHash-2-4 (Aumasson and Bernstein, 2012), a function made for short messages under a secret key.
package struct HandleKey: Sendable {
    private let first: UInt64
    private let second: UInt64

    /// A key of 16 bytes; nil for another number.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        first = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        second = bytes.suffix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The seal over all words but the third, where it is kept.
    func seal(of words: [8 of UInt64]) -> UInt64 {
        var state = SipState(first, second)
        state.absorb(words[0])
        state.absorb(words[1])
        for index in 3..<8 { state.absorb(words[index]) }
        return state.finish(length: 56, rest: 0)
    }

    /// A number for an export, from the path of its directory: the same as long as the key is.
    package func identity(ofPath path: String) -> UInt64 { hash(Array(path.utf8)) }

    /// SipHash-2-4 of any bytes.
    package func hash(_ bytes: [UInt8]) -> UInt64 {
        var state = SipState(first, second)
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word |= UInt64(byte) << (8 * UInt64(index & 7))
            guard index & 7 == 7 else { continue }
            state.absorb(word)
            word = 0
        }
        return state.finish(length: bytes.count, rest: word)
    }
}

private struct SipState {
    private var v0, v1, v2, v3: UInt64

    init(_ first: UInt64, _ second: UInt64) {
        v0 = first ^ 0x736f_6d65_7073_6575
        v1 = second ^ 0x646f_7261_6e64_6f6d
        v2 = first ^ 0x6c79_6765_6e65_7261
        v3 = second ^ 0x7465_6462_7974_6573
    }

    private mutating func round() {
        func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
        v0 &+= v1
        v1 = rotated(v1, 13) ^ v0
        v0 = rotated(v0, 32)
        v2 &+= v3
        v3 = rotated(v3, 16) ^ v2
        v0 &+= v3
        v3 = rotated(v3, 21) ^ v0
        v2 &+= v1
        v1 = rotated(v1, 17) ^ v2
        v2 = rotated(v2, 32)
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish(length: Int, rest: UInt64) -> UInt64 {
        absorb(rest | UInt64(truncatingIfNeeded: length) << 56)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}
