import ByteCoding
public import NetworkTypes

/// A UDP datagram over IPv4 with where it came from and went to.
public struct UDPDatagram: Hashable, Sendable {
    /// The sending interface's hardware address.
    public var sourceMAC: MACAddress
    /// The hardware address the frame was sent to.
    public var destinationMAC: MACAddress
    /// Sender.
    public var source: Endpoint
    /// Receiver.
    public var destination: Endpoint
    /// What was sent.
    public var payload: [UInt8]

    /// A datagram from its parts.
    public init(
        sourceMAC: MACAddress,
        destinationMAC: MACAddress,
        source: Endpoint,
        destination: Endpoint,
        payload: [UInt8]
    ) {
        self.sourceMAC = sourceMAC
        self.destinationMAC = destinationMAC
        self.source = source
        self.destination = destination
        self.payload = payload
    }

    /// The datagram in an Ethernet frame; nil when the frame holds something else, a fragment, or is cut off.
    ///
    /// One VLAN tag (802.1Q) is stepped over. Checksums are not judged: captures on the sending side lack them.
    public init?(ethernetFrame bytes: Span<UInt8>) {
        var reader = ByteReader(bytes)
        do {
            guard let destinationMAC = MACAddress(bytes: try reader.readBytes(6)),
                let sourceMAC = MACAddress(bytes: try reader.readBytes(6))
            else { return nil }
            var etherType = try reader.readUInt16()
            if etherType == 0x8100 {
                try reader.skip(2)
                etherType = try reader.readUInt16()
            }
            guard etherType == 0x0800 else { return nil }
            let versionAndLength = try reader.readUInt8()
            let headerLength = Int(versionAndLength & 0xf) * 4
            guard versionAndLength >> 4 == 4, headerLength >= 20 else { return nil }
            try reader.skip(1)
            let totalLength = Int(try reader.readUInt16())
            try reader.skip(2)
            guard try reader.readUInt16() & 0x3fff == 0 else { return nil }
            try reader.skip(1)
            guard try reader.readUInt8() == 17 else { return nil }
            try reader.skip(2)
            let source = IPv4Address(value: try reader.readUInt32())
            let destination = IPv4Address(value: try reader.readUInt32())
            try reader.skip(headerLength - 20)
            let sourcePort = try reader.readUInt16()
            let destinationPort = try reader.readUInt16()
            let length = Int(try reader.readUInt16())
            guard length >= 8, headerLength + length <= totalLength else { return nil }
            try reader.skip(2)
            self.init(
                sourceMAC: sourceMAC,
                destinationMAC: destinationMAC,
                source: Endpoint(source, sourcePort),
                destination: Endpoint(destination, destinationPort),
                payload: try reader.readBytes(length - 8)
            )
        } catch {
            return nil
        }
    }

    /// An Ethernet frame with this datagram, for captures that tests make; the UDP checksum is left out (zero).
    ///
    /// Nil when the payload is longer than one IPv4 packet holds.
    public func ethernetFrame() -> [UInt8]? {
        guard payload.count <= 65_507 else { return nil }
        var writer = ByteWriter(capacity: 42 + payload.count)
        writer.writeBytes(destinationMAC.bytes)
        writer.writeBytes(sourceMAC.bytes)
        writer.writeUInt16(0x0800)
        writer.writeUInt16(0x4500)
        writer.writeUInt16(UInt16(28 + payload.count))
        writer.writeUInt32(0)
        writer.writeUInt16(0x4011)
        writer.writeUInt16(0)
        writer.writeUInt32(source.address.value)
        writer.writeUInt32(destination.address.value)
        var sum = stride(from: 14, to: 34, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(writer.bytes[$1]) << 8 + UInt32(writer.bytes[$1 + 1])
        }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        writer.replaceUInt16(at: 24, with: ~UInt16(sum))
        writer.writeUInt16(source.port)
        writer.writeUInt16(destination.port)
        writer.writeUInt16(UInt16(8 + payload.count))
        writer.writeUInt16(0)
        writer.writeBytes(payload)
        return writer.bytes
    }
}

extension PCAPFile {
    /// Every UDP datagram over IPv4 in an Ethernet capture, in order.
    public var udpDatagrams: [UDPDatagram] {
        guard linkType == .ethernet else { return [] }
        return packets.compactMap { UDPDatagram(ethernetFrame: $0.bytes.span) }
    }
}
