import NetworkTypes

/// A wire that loses every fifth packet, sends some twice and holds others back, so that they overtake each other.
///
/// It works on packets on their way through the test, with chances that are the same in each run.
struct BadWire<Packet> {
    private var seed: UInt64
    private var held: [(due: ContinuousClock.Instant, packet: Packet)] = []
    /// What became of the packets.
    private(set) var lost = 0
    private(set) var doubled = 0
    private(set) var delayed = 0

    init(seed: UInt64) { self.seed = seed }

    /// Percent, from a linear congruential generator.
    private mutating func chance() -> UInt64 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (seed >> 33) % 100
    }

    /// What comes out at the other end at once when this goes in.
    mutating func pass(_ packet: Packet) -> [Packet] {
        switch chance() {
        case ..<20:
            lost += 1
            return []
        case ..<35:
            doubled += 1
            return [packet, packet]
        case ..<60:
            delayed += 1
            held.append((.now + .milliseconds(Int(20 + 8 * chance())), packet))
            return []
        default: return [packet]
        }
    }

    /// What was held back until now.
    mutating func due() -> [Packet] {
        let now = ContinuousClock.now
        let out = held.filter { $0.due <= now }.sorted { $0.due < $1.due }.map(\.packet)
        held.removeAll { $0.due <= now }
        return out
    }
}
