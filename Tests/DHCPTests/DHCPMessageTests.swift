import DHCP
import NetworkTypes
import Testing

@Suite struct DHCPMessageTests {
    /// Every header field lies where RFC 2131 puts it.
    @Test func headerLayout() {
        let bytes = sampleMessage([.messageType(.discover)]).encode()
        #expect(Array(bytes[0..<4]) == [1, 1, 6, 1])  // op, htype, hlen, hops
        #expect(Array(bytes[4..<8]) == [0x12, 0x34, 0x56, 0x78])  // xid
        #expect(Array(bytes[8..<12]) == [0, 4, 0x80, 0])  // secs, flags
        #expect(Array(bytes[12..<16]) == [10, 0, 0, 71])  // ciaddr
        #expect(Array(bytes[16..<20]) == [10, 0, 0, 72])  // yiaddr
        #expect(Array(bytes[20..<24]) == [10, 0, 0, 1])  // siaddr
        #expect(Array(bytes[24..<28]) == [10, 0, 1, 1])  // giaddr
        #expect(Array(bytes[28..<44]) == [0x52, 0x54, 0, 0x12, 0x34, 0x56] + [UInt8](repeating: 0, count: 10))
        #expect(Array(bytes[44..<51]) == Array("server".utf8) + [0])
        #expect(Array(bytes[108..<122]) == Array("undionly.kpxe".utf8) + [0])
        #expect(Array(bytes[236...]) == [99, 130, 83, 99, 53, 1, 1, 255])
    }

    @Test func everyFieldSurvives() throws {
        let message = sampleMessage([.messageType(.request), .hostName("megane")])
        let decoded = try overTheWire(message)
        #expect(decoded == message)
        #expect(decoded.mac == nodeMAC)
        #expect(decoded.serverNameText == "server")
        #expect(decoded.bootFileText == "undionly.kpxe")
    }

    /// Order, duplicates, unknown codes, padding between and after, and what follows END.
    @Test func keepsWhatItDoesNotUnderstand() throws {
        let header = sampleMessage([]).encode().dropLast()
        let area: [UInt8] = [
            0, 0, 53, 1, 1,  // padding first
            224, 2, 0xde, 0xad,  // site specific
            61, 3, 0, 1, 2, 0, 61, 3, 0, 1, 2,  // twice, a pad between
            80, 0,  // rapid commit has no value
            255, 0, 0, 7, 0,  // END and rubbish
        ]
        let bytes = Array(header) + area
        let message = try DHCPMessage(decoding: bytes.span)
        #expect(message.encode() == bytes)
        #expect(message.allOptions.map(\.code.rawValue) == [53, 224, 61, 61, 80])
        #expect(message.first(DHCPOptionCode(rawValue: 80)) == [])
    }

    @Test func aMissingEndIsAccepted() throws {
        let bytes = Array(sampleMessage([.messageType(.discover)]).encode().dropLast())
        let message = try DHCPMessage(decoding: bytes.span)
        #expect(try message.messageType() == .discover)
        #expect(message.encode() == bytes)
    }

    @Test func bootpHasNoCookie() throws {
        let bytes = Array(sampleMessage([]).encode()[..<236]) + [UInt8](repeating: 0, count: 64)
        let message = try DHCPMessage(decoding: bytes.span)
        #expect(try message.messageType() == nil)
        #expect(message.vendorArea?.count == 64)
        #expect(message.encode() == bytes)
    }

    @Test(arguments: [0, 1, 28, 235]) func tooShort(_ count: Int) {
        let bytes = Array(sampleMessage([]).encode().prefix(count))
        #expect(throws: DHCPDecodingError.truncatedHeader(available: count)) { try DHCPMessage(decoding: bytes.span) }
    }

    @Test func anOptionOverTheEndIsNamed() {
        let bytes = Array(sampleMessage([.messageType(.discover)]).encode().dropLast()) + [60, 9, 1]
        #expect(throws: DHCPDecodingError.truncatedOption(code: .vendorClass, offset: 243)) {
            try DHCPMessage(decoding: bytes.span)
        }
    }

    /// Option 52: the rest of the options lies in `file`, then in `sname` (RFC 2132 section 9.3).
    @Test func overloadedFieldsAreRead() throws {
        var bytes = sampleMessage([DHCPOption(.overload, [3]), DHCPOption(.vendorClass, Array("PXE".utf8))]).encode()
        let inFile: [UInt8] = [53, 1, 1, 60, 3] + Array("Cli".utf8) + [255]
        let inName: [UInt8] = [60, 3] + Array("ent".utf8) + [255]
        bytes.replaceSubrange(108..<108 + inFile.count, with: inFile)
        bytes.replaceSubrange(44..<44 + inName.count, with: inName)
        let message = try DHCPMessage(decoding: bytes.span)
        #expect(try message.messageType() == .discover)
        #expect(message.vendorClass() == .pxeClient)
        #expect(message.bootFileText == "")
        #expect(message.serverNameText == "")
        #expect(message.encode() == bytes)
    }

    @Test func longValuesAreSplitAndJoined() throws {
        let long = String(repeating: "a", count: 600)
        let decoded = try overTheWire(sampleMessage([.hostName(long)]))
        #expect(decoded.options.entries.map(\.value.count) == [255, 255, 90])
        #expect(decoded.hostName() == long)
    }

    @Test func hardwareThatIsNotEthernetHasNoMAC() {
        #expect(ClientHardware(type: 1, length: 16, bytes: [UInt8](1...16)).mac == nil)
        #expect(ClientHardware(type: 1, length: 6, bytes: [0, 0, 0, 0, 0, 0]).mac == nil)
        #expect(ClientHardware(type: 1, length: 6, bytes: [1, 0, 0, 0, 0, 0]).mac == nil)
        #expect(ClientHardware(type: 1, length: 16, bytes: [UInt8](1...20)).bytes == [UInt8](1...16))
        #expect(
            ClientHardware(type: 1, length: 255, bytes: []).description
                == "hardware type 1 [\(String(repeating: "0", count: 32))]"
        )
    }

    @Test func printsLikeAPacketPrinter() {
        var message = DHCPMessage(operation: .request, hardware: ClientHardware(nodeMAC), transaction: 0xabc)
        message.options = DHCPOptions([
            .messageType(.discover), .serverIdentifier(IPv4Address(10, 0, 0, 1)), .leaseTime(60),
            .vendorClass(VendorClass("bad\u{1b}[2J\n")), .parameterRequestList([.subnetMask, .routers]),
            .ipxeOptions(.noProxyDHCP), DHCPOption(DHCPOptionCode(rawValue: 224), [0xde, 0xad]),
        ])
        #expect(
            message.description == """
                request from 52:54:00:12:34:56, xid 0xabc, secs 0
                  53 (message-type) DISCOVER
                  54 (server-id) 10.0.0.1
                  51 (lease-time) 60
                  60 (vendor-class) "bad\\x1b[2J\\x0a"
                  55 (parameter-list) 1,3
                  175 (ipxe) 176=01
                  224 dead
                """
        )
    }
}
