import Foundation
import HTTP1
import PCAP
import Testing

/// The requests of real firmware and loaders over HTTP (Tests/Captures).
@Suite struct CaptureTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Captures")

    /// What clients sent to port 8067, segment by segment; each of these clients puts a request into one segment.
    private func requests(_ name: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name)))
        return try PCAPFile(decoding: bytes.span).packets.compactMap { packet in
            let frame = packet.bytes
            // Ethernet, IPv4, TCP; the lengths are in the two headers.
            guard frame.count >= 54, frame[12] == 8, frame[13] == 0, frame[23] == 6 else { return nil }
            let tcp = 14 + Int(frame[14] & 15) * 4
            let end = 14 + Int(frame[16]) << 8 + Int(frame[17])
            guard Int(frame[tcp + 2]) << 8 + Int(frame[tcp + 3]) == 8067 else { return nil }
            let data = Array(frame[(tcp + Int(frame[tcp + 12] >> 4) * 4)..<min(end, frame.count)])
            return data.isEmpty ? nil : data
        }
    }

    private func parse(_ bytes: [UInt8]) throws -> HTTPRequestParser.Parsed? { try HTTPRequestParser.parse(bytes.span) }

    @Test(
        arguments: [
            ("arm64-uefi-http.pcap", "UefiHttpBoot"), ("arm64-uefi-pxe.pcap", "UefiHttpBoot"),
            ("bios-ipxe-rom-e1000.pcap", "iPXE"), ("bios-ipxe-rom-proxy.pcap", "iPXE"), ("bios-ipxe-rom.pcap", "iPXE"),
            ("bios-undionly-chain.pcap", "iPXE"), ("uefi-http.pcap", "UefiHttpBoot"), ("uefi-pxe-proxy.pcap", "iPXE"),
            ("uefi-pxe.pcap", "iPXE"),
        ]
    )
    func everyRequestIsUnderstood(_ name: String, agent: String) throws {
        let requests = try requests(name)
        #expect(!requests.isEmpty)
        for request in requests {
            let parsed = try #require(try parse(request))
            #expect(parsed.length == request.count)
            let head = parsed.head
            #expect([.get, .head].contains(head.method))
            #expect(head.keepsConnection)
            #expect(!head.path.components.isEmpty)
            // Nothing was lost on the way: the head's parts are the request.
            let lines = ["\(head.method) \(head.target) HTTP/1.1"] + head.fields.map { "\($0.name): \($0.value)" }
            #expect(
                (lines.joined(separator: "\r\n") + "\r\n\r\n").lowercased()
                    == String(decoding: request, as: UTF8.self).lowercased()
            )
        }
        let first = try #require(try parse(requests[0]))
        #expect(first.head.value(of: "user-agent")?.hasPrefix(agent) == true)
    }
}
