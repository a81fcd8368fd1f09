import ByteCoding

/// A capture in the classic libpcap format, version 2.4, in either byte order, with micro- or nanoseconds.
///
///     magic | major, minor | zone | accuracy | snapshot length | link type
///     then for each packet: seconds | fraction | stored length | length on the wire | bytes
public struct PCAPFile: Hashable, Sendable {
    /// One captured packet.
    public struct Packet: Hashable, Sendable {
        /// Whole seconds since 1970.
        public var seconds: UInt32
        /// The rest, in the file's unit.
        public var fraction: UInt32
        /// How long the packet was on the wire.
        public var originalLength: UInt32
        /// The bytes that were stored.
        public var bytes: [UInt8]

        /// A packet from its parts; nothing is cut off when `originalLength` is left out.
        public init(seconds: UInt32, fraction: UInt32, bytes: [UInt8], originalLength: UInt32? = nil) {
            self.seconds = seconds
            self.fraction = fraction
            self.bytes = bytes
            self.originalLength = originalLength ?? UInt32(bytes.count)
        }
    }

    /// What the packets begin with.
    public struct LinkType: RawRepresentable, Hashable, Sendable {
        /// The number in the file.
        public var rawValue: UInt32
        /// From the number in the file; others are kept.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Ethernet frames.
        public static let ethernet = LinkType(rawValue: 1)
        /// IPv4 or IPv6 packets.
        public static let raw = LinkType(rawValue: 101)
        /// Linux "cooked" capture of the device `any`.
        public static let linuxCooked = LinkType(rawValue: 113)
    }

    /// What the packets begin with.
    public var linkType: LinkType
    /// Whether fractions are nanoseconds; else microseconds.
    public var isNanoseconds: Bool
    /// Whether numbers are stored with the highest byte first.
    public var isBigEndian: Bool
    /// The longest packet that would have been stored whole.
    public var snapshotLength: UInt32
    /// The packets in their order.
    public var packets: [Packet]

    /// An empty capture.
    public init(
        linkType: LinkType = .ethernet,
        isNanoseconds: Bool = false,
        isBigEndian: Bool = false,
        snapshotLength: UInt32 = 262_144
    ) {
        self.linkType = linkType
        self.isNanoseconds = isNanoseconds
        self.isBigEndian = isBigEndian
        self.snapshotLength = snapshotLength
        packets = []
    }

    /// Decodes a whole file.
    ///
    /// A last packet that is cut off is an error.
    public init(decoding bytes: Span<UInt8>) throws(PCAPError) {
        var reader = ByteReader(bytes)
        do {
            switch try reader.readUInt32() {
            case 0xa1b2_c3d4: (isBigEndian, isNanoseconds) = (true, false)
            case 0xa1b2_3c4d: (isBigEndian, isNanoseconds) = (true, true)
            case 0xd4c3_b2a1: (isBigEndian, isNanoseconds) = (false, false)
            case 0x4d3c_b2a1: (isBigEndian, isNanoseconds) = (false, true)
            default: throw PCAPError.notACapture
            }
            try reader.skip(12)
            snapshotLength = isBigEndian ? try reader.readUInt32() : try reader.readLittleEndianUInt32()
            linkType = LinkType(rawValue: isBigEndian ? try reader.readUInt32() : try reader.readLittleEndianUInt32())
            packets = []
            while !reader.isAtEnd {
                var fields: [UInt32] = []
                for _ in 0..<4 {
                    fields.append(isBigEndian ? try reader.readUInt32() : try reader.readLittleEndianUInt32())
                }
                let stored = try reader.readBytes(Int(fields[2]))
                packets.append(
                    Packet(seconds: fields[0], fraction: fields[1], bytes: stored, originalLength: fields[3])
                )
            }
        } catch let error as PCAPError {
            throw error
        } catch let error as ByteReaderError {
            throw .truncated(offset: error.offset)
        } catch {
            throw .notACapture
        }
    }

    /// The whole file.
    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 24 + packets.reduce(0) { $0 + 16 + $1.bytes.count })
        func write(_ value: UInt32) {
            if isBigEndian { writer.writeUInt32(value) } else { writer.writeLittleEndianUInt32(value) }
        }
        write(isNanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4)
        write(isBigEndian ? 0x0002_0004 : 0x0004_0002)
        write(0)
        write(0)
        write(snapshotLength)
        write(linkType.rawValue)
        for packet in packets {
            write(packet.seconds)
            write(packet.fraction)
            write(UInt32(packet.bytes.count))
            write(packet.originalLength)
            writer.writeBytes(packet.bytes)
        }
        return writer.bytes
    }
}

/// Why bytes are not a capture.
public enum PCAPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The magic number is not that of classic libpcap (pcapng is another format).
    case notACapture
    /// A field or packet runs over the end; where it began.
    case truncated(offset: Int)

    /// For an error message.
    public var description: String {
        switch self {
        case .notACapture: "not a classic pcap file"
        case .truncated(let offset): "cut off at byte \(offset)"
        }
    }
}
