import Foundation
import NetworkTypes
import PCAP
import TFTP
import Testing

/// What real firmware and loaders sent and got by TFTP (Tests/Captures).
@Suite struct CaptureTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Captures")

    /// The payloads of a capture's TFTP packets: those to port 69, and those between the ports that the requests opened.
    private func packets(_ name: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name)))
        var clients: Set<UInt16> = []
        return try PCAPFile(decoding: bytes.span).udpDatagrams.compactMap { datagram in
            if datagram.destination.port == 69 { clients.insert(datagram.source.port) }
            let belongs = !clients.isDisjoint(with: [datagram.source.port, datagram.destination.port])
            return belongs ? datagram.payload : nil
        }
    }

    @Test(
        arguments: [
            ("arm64-uefi-pxe.pcap", 2), ("bios-pxelinux.pcap", 39), ("bios-undionly-chain.pcap", 7),
            ("uefi-pxe.pcap", 10), ("uefi-pxe-proxy.pcap", 10),
        ]
    )
    func reencodesByteForByte(_ name: String, count: Int) throws {
        let packets = try packets(name)
        #expect(packets.count == count)
        for packet in packets {
            let decoded = try TFTPPacket(packet.span)
            #expect(decoded.encoded == packet, "\(decoded)")
            guard case .readRequest(let request) = decoded else { continue }
            #expect(request.mode == .octet)
            _ = try TFTPFileName(request.fileName)
        }
        #expect(try packets.contains { if case .readRequest = try TFTPPacket($0.span) { true } else { false } })
    }
}
