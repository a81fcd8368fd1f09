import NetworkTypes

/// A DISCOVER as x86 BIOS PXE firmware sends it, built by hand: these tests know nothing of our codec.
enum DiscoverPacket {
    /// The packet of the machine with this hardware address, sent on by a relay agent if one is named.
    static func bytes(from mac: [UInt8], transaction: UInt32 = 0x1234_5678, relay: [UInt8] = [0, 0, 0, 0]) -> [UInt8] {
        let number = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: transaction >> $0) }
        let fixed: [UInt8] = [1, 1, 6, 0] + number + [UInt8](repeating: 0, count: 16) + relay + mac
        let options: [UInt8] =
            [53, 1, 1, 93, 2, 0, 0, 60, 32] + Array("PXEClient:Arch:00000:UNDI:002001".utf8)
            + [97, 17] + [UInt8](repeating: 0, count: 17) + [55, 4, 1, 3, 66, 67, 255]
        return fixed + [UInt8](repeating: 0, count: 202) + [99, 130, 83, 99] + options
    }
}
