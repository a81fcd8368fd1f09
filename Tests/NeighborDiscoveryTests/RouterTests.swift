import NeighborDiscovery
import NetworkTypes
import Testing

@Suite struct RouterTests {
    private let mac = MACAddress(value: 0x5254_0012_3456)
    private let solicitation: [UInt8] = [
        133, 0, 0x12, 0x34, 0, 0, 0, 0,  // type, code, checksum, reserved
        1, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56,  // source link-layer address
        77, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // an option nobody knows
    ]

    @Test func decodesASolicitation() throws {
        let decoded = try RouterSolicitation(decoding: solicitation.span)
        #expect(decoded.sourceLinkLayerAddress == mac)
        #expect(decoded.sender(source: []) == mac)
    }

    @Test func findsTheSenderInItsAddress() throws {
        let plain = try RouterSolicitation(decoding: Array(solicitation.prefix(8)).span)
        let source: [UInt8] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56]
        #expect(plain.sender(source: source) == mac)
        #expect(plain.sender(source: [UInt8](repeating: 0, count: 16)) == nil)
        #expect(plain.sender(source: [1, 2]) == nil)
    }

    @Test(
        arguments: [
            [], [133], [133, 0, 0, 0, 0, 0, 0], [133, 1, 0, 0, 0, 0, 0, 0], [133, 0, 0, 0, 0, 0, 0, 0, 1, 0],
            [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2],
        ] as [[UInt8]]
    )
    func refusesMalformed(_ bytes: [UInt8]) {
        #expect(throws: NeighborDiscoveryError.malformed) { try RouterSolicitation(decoding: bytes.span) }
    }

    @Test func refusesOtherMessages() {
        #expect(throws: NeighborDiscoveryError.unexpectedType(135)) {
            try RouterSolicitation(decoding: ([135, 0] as [UInt8]).span)
        }
    }

    @Test func theEmptyAdvertisement() {
        #expect(
            RouterAdvertisement.empty.encode() == [
                134, 0, 0, 0,  // type, code, checksum
                255, 0, 0, 0,  // hop limit, flags, lifetime
                0, 0, 0, 0, 0, 0, 0, 0,  // reachable, retransmit
            ]
        )
    }

    /// Every byte set to every value, at every length: an answer or an error, never a trap.
    @Test func mutationsNeverTrap() {
        for length in 0...solicitation.count {
            for index in 0..<length {
                var bytes = Array(solicitation[..<length])
                for value in [0, 1, 2, 3, 127, 128, 255] as [UInt8] {
                    bytes[index] = value
                    RouterSolicitation.fuzz(bytes.span)
                }
            }
        }
    }
}
