import DHCP
import Foundation
import NetworkTypes
import PCAP
import Testing

/// Captures of real firmware and clients (Tests/Captures, each with its provenance beside it).
@Suite struct CaptureTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Captures")

    static var names: [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (files ?? []).filter { $0.hasSuffix(".pcap") }.sorted()
    }

    private func messages(_ name: String) throws -> [DHCPMessage] {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name)))
        let file = try PCAPFile(decoding: bytes.span)
        #expect(file.encode() == bytes)
        return try file.udpDatagrams
            .filter { [67, 68, 4011].contains($0.source.port) || [67, 4011].contains($0.destination.port) }
            .map { try DHCPMessage(decoding: $0.payload.span) }
    }

    @Test(arguments: names) func reencodesByteForByte(_ name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name)))
        var count = 0
        for datagram in try PCAPFile(decoding: bytes.span).udpDatagrams
        where [67, 68, 4011].contains(datagram.source.port) || [67, 4011].contains(datagram.destination.port) {
            let message = try DHCPMessage(decoding: datagram.payload.span)
            #expect(message.encode() == datagram.payload)
            #expect(try message.messageType() != nil)
            count += 1
        }
        #expect(count > 0)
    }

    @Test(
        arguments: [
            ("bios-ipxe-rom.pcap", 0), ("uefi-pxe.pcap", 7), ("uefi-http.pcap", 16), ("arm64-uefi-pxe.pcap", 11),
            ("arm64-uefi-http.pcap", 19),
        ] as [(String, UInt16)]
    )
    func firmwareSaysItsArchitecture(_ name: String, _ architecture: UInt16) throws {
        let first = try #require(try messages(name).first { $0.operation == .request })
        #expect(try first.messageType() == .discover)
        #expect(try first.clientArchitectures() == [architecture])
        #expect(first.vendorClass()?.architecture == architecture)
        #expect(first.mac != nil)
    }

    @Test func ipxeSaysWhatItCan() throws {
        let first = try #require(try messages("bios-ipxe-rom.pcap").first { $0.operation == .request })
        #expect(try first.userClasses() == ["iPXE"])
        #expect(try first.ipxeOptions()?.has(.http) == true)
    }
}
