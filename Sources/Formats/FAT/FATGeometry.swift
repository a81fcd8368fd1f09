/// How large the parts of an image are.
struct FATGeometry {
    static let sector = 512
    static let rootEntries = 512
    /// FAT16 has this many clusters (specification, "FAT Type Determination").
    static let clusterCounts: ClosedRange<UInt64> = 4085...65524

    /// Bytes in a cluster.
    let clusterSize: Int
    /// How many clusters there are.
    let count: UInt64

    /// The smallest clusters that do; nil when no size does.
    init?(content: UInt64, files: [FATImage.File], tree: FATDirectory) {
        var size = Self.sector
        while size <= 32768 {
            let bytes = UInt64(size)
            func clusters(_ length: UInt64) -> UInt64 { (length + bytes - 1) / bytes }
            let room = content - files.reduce(0) { $0 + $1.size }
            let needed =
                files.reduce(0) { $0 + clusters($1.size) } + tree.directoryClusters(size) + clusters(room)
            // Firmware counts clusters in its own ways at the very border.
            if needed <= Self.clusterCounts.upperBound - 16 {
                clusterSize = size
                count = max(needed, Self.clusterCounts.lowerBound + 16)
                return
            }
            size *= 2
        }
        return nil
    }

    /// How many clusters so many bytes take.
    func clusters(_ length: UInt64) -> UInt64 { (length + UInt64(clusterSize) - 1) / UInt64(clusterSize) }
    /// Bytes in all clusters.
    var dataSize: UInt64 { count * UInt64(clusterSize) }
    /// Sectors of one table.
    var tableSectors: Int { (Int(count + 2) * 2 + Self.sector - 1) / Self.sector }

    /// The first sector: BIOS parameter block of FAT16.
    func bootSector(label: String, volumeID: UInt32) -> [UInt8] {
        let sectors = 1 + 2 * tableSectors + Self.rootEntries * 32 / Self.sector + Int(dataSize) / Self.sector
        var bytes: [UInt8] = [0xeb, 0x3c, 0x90] + Array("DISKLESS".utf8)
        bytes += little(UInt16(Self.sector)) + [UInt8(clusterSize / Self.sector)]
        bytes += little(UInt16(1)) + [2] + little(UInt16(Self.rootEntries))
        bytes += little(UInt16(sectors < 65536 ? sectors : 0)) + [0xf8] + little(UInt16(tableSectors))
        bytes += little(UInt16(63)) + little(UInt16(255)) + little(UInt32(0))
        bytes += little(UInt32(sectors < 65536 ? 0 : sectors))
        bytes += [0x80, 0, 0x29] + little(volumeID)
        bytes += FATName.padded(label.uppercased(), 11) + Array("FAT16   ".utf8)
        bytes += [UInt8](repeating: 0, count: 510 - bytes.count) + [0x55, 0xaa]
        return bytes
    }
}

/// A number, the low byte first.
func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
}
