import BootModel
import DHCP
import DHCPServer
import Foundation
import NetworkTypes
import PCAP
import Testing

/// What real firmware and clients sent (Tests/Captures) is put to the engine.
@Suite struct CaptureReplayTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Captures")

    /// The client's messages of a kind, in order.
    private func messages(_ name: String, _ wanted: DHCPMessageType, port: UInt16 = 67) throws -> [DHCPMessage] {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name + ".pcap")))
        return try PCAPFile(decoding: bytes.span).udpDatagrams.filter { $0.destination.port == port }
            .map { try DHCPMessage(decoding: $0.payload.span) }
            .filter { try $0.messageType() == wanted }
    }

    private static let script = "http://10.0.0.1:8067/boot/52-54-00-4d-45-47/script.ipxe"
    private static let httpLoader = "http://10.0.0.1:8067/loaders/snponly.efi"

    @Test(arguments: [
        ("bios-ipxe-rom", [script]), ("bios-ipxe-rom-e1000", [script]), ("bios-pxelinux", [script]),
        ("bios-undionly-chain", [script]), ("uefi-pxe", ["snponly.efi", script]), ("uefi-http", [httpLoader, script]),
        ("dhclient", [""]), ("udhcpc", [""]), ("klibc-ipconfig", [""]),
    ])
    func bootFilesInFullMode(_ name: String, _ files: [String]) throws {
        var server = try Server()
        var seen: [String] = []
        var addresses: Set<IPv4Address> = []
        for message in try messages(name, .discover) {
            let offer = try #require(try server.answer(message))
            #expect(offer.transaction == message.transaction)
            #expect(offer.hardware == message.hardware)
            if seen.last != offer.bootFileText { seen.append(offer.bootFileText) }
            addresses.insert(offer.yourAddress)
        }
        #expect(seen.starts(with: files))
        #expect(Set(seen).isSubset(of: Set(files + [Self.script])))
        #expect(addresses.count == 1)
    }

    @Test(arguments: [
        ("bios-ipxe-rom-proxy", script), ("uefi-pxe-proxy", "snponly.efi"),
    ])
    func bootFilesInProxyMode(_ name: String, _ file: String) throws {
        var server = try Server(.proxy)
        let discover = try #require(try messages(name, .discover).first)
        #expect(try server.answer(discover)?.bootFileText == file)
        // Nothing on port 67 but the answer to a DISCOVER.
        for request in try messages(name, .request) { #expect(try server.handle(request).isEmpty) }
        for request in try messages(name, .request, port: 4011).prefix(1) {
            let peer = Endpoint(request.clientAddress, 4011)
            #expect(try server.answer(request, port: .bootServer, peer: peer)?.bootFileText == file)
        }
    }
}
