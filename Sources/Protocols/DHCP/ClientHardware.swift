public import NetworkTypes

/// The client's hardware address as the header tells it: type, length and always 16 bytes of room.
public struct ClientHardware: Hashable, Sendable {
    /// The kind of hardware: 1 is Ethernet (`htype`, RFC 1700).
    public var type: UInt8
    /// How many of the 16 bytes count (`hlen`); clients are seen to send 0, 6, 8 and 16.
    public var length: UInt8
    private var high: UInt64
    private var low: UInt64

    /// From the header's fields; `bytes` beyond the sixteenth are dropped, missing ones are zero.
    public init(type: UInt8, length: UInt8, bytes: some Sequence<UInt8>) {
        self.type = type
        self.length = length
        high = 0
        low = 0
        for (index, byte) in bytes.prefix(16).enumerated() {
            if index < 8 {
                high |= UInt64(byte) << UInt64(56 - 8 * index)
            } else {
                low |= UInt64(byte) << UInt64(120 - 8 * index)
            }
        }
    }

    init(type: UInt8, length: UInt8, high: UInt64, low: UInt64) {
        self.type = type
        self.length = length
        self.high = high
        self.low = low
    }

    /// An Ethernet interface's.
    public init(_ mac: MACAddress) {
        self.init(type: 1, length: 6, high: mac.value << 16, low: 0)
    }

    var words: (high: UInt64, low: UInt64) { (high, low) }

    /// All 16 bytes.
    public var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * $0)) }
    }

    /// The Ethernet address; nil for other hardware, other lengths, all zeros and group addresses.
    public var mac: MACAddress? {
        guard type == 1, length == 6 else { return nil }
        let mac = MACAddress(value: high >> 16)
        return mac.value == 0 || mac.isMulticast ? nil : mac
    }
}

extension ClientHardware: CustomStringConvertible {
    /// The MAC address, or type and bytes of anything else.
    public var description: String {
        mac?.description ?? "hardware type \(type) [\(hexadecimal(bytes.prefix(Int(min(length, 16)))))]"
    }
}
