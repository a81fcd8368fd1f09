public import NetworkTypes

/// How many connections each address has.
public struct ConnectionCounts: Sendable {
    private var counts: [IPv4Address: Int] = [:]

    /// Nobody has any.
    public init() {}

    /// How many an address has.
    public subscript(address: IPv4Address) -> Int { counts[address, default: 0] }

    /// The address that has the most, and how many; nil when there are none.
    public var greediest: (address: IPv4Address, count: Int)? {
        counts.max { $0.value < $1.value }.map { ($0.key, $0.value) }
    }

    /// Counts one more of an address.
    public mutating func add(_ address: IPv4Address) { counts[address, default: 0] += 1 }

    /// Counts one less of an address.
    public mutating func remove(_ address: IPv4Address) {
        let left = self[address] - 1
        counts[address] = left > 0 ? left : nil
    }
}
