import DHCP
import NetworkTypes
import Testing

@Suite struct ReplyTests {
    private func reply(_ options: [DHCPOption], name: String = "") -> DHCPMessage {
        var reply = DHCPMessage(operation: .reply, hardware: ClientHardware(nodeMAC), transaction: 1)
        reply.serverNameText = name
        reply.options = DHCPOptions(options)
        return reply
    }

    @Test func isPaddedTo300() throws {
        let encoded = reply([.messageType(.offer)]).encodeReply(limit: 548)
        #expect(encoded.bytes.count == 300)
        #expect(encoded.omitted.isEmpty)
        #expect(encoded.bytes[236..<244].elementsEqual([99, 130, 83, 99, 53, 1, 2, 255]))
        #expect(try DHCPMessage(decoding: encoded.bytes.span).messageType() == .offer)
    }

    @Test func relayInformationIsLastAndAlwaysThere() throws {
        let relay = DHCPOption(.relayAgentInformation, [1, 1, 9])
        let filler = DHCPOption(.vendorOptions, [UInt8](repeating: 1, count: 250))
        let encoded = reply([relay, .messageType(.ack), filler, filler], name: "n").encodeReply(limit: 548)
        #expect(encoded.bytes.count <= 548)
        #expect(encoded.omitted == [.vendorOptions])
        let decoded = try DHCPMessage(decoding: encoded.bytes.span)
        #expect(decoded.options.meaningful.last == relay)
    }

    @Test func whatFindsNoRoomGoesIntoTheServerName() throws {
        let filler = DHCPOption(.vendorOptions, [UInt8](repeating: 1, count: 285))
        let encoded = reply([.messageType(.ack), filler, .hostName("megane.lab.example")]).encodeReply(limit: 548)
        #expect(encoded.bytes.count <= 548)
        #expect(encoded.omitted.isEmpty)
        let decoded = try DHCPMessage(decoding: encoded.bytes.span)
        #expect(decoded.hostName() == "megane.lab.example")
        #expect(decoded.overloadedOptions.count == 1)
    }

    @Test(arguments: [(nil, 548), (0, 548), (576, 548), (1024, 996), (1472, 1444), (65535, 1472)] as [(UInt16?, Int)])
    func limit(_ asked: UInt16?, _ limit: Int) {
        let options = asked.map { [DHCPOption.maximumMessageSize($0)] } ?? []
        #expect(sampleMessage(options).payloadLimit == limit)
    }

    @Test func destinations() {
        let yours = IPv4Address(10, 0, 0, 72)
        var request = DHCPMessage(operation: .request, hardware: ClientHardware(nodeMAC), transaction: 1)
        var offer = reply([.messageType(.offer)])
        offer.yourAddress = yours
        #expect(DHCPReplyDestination(of: offer, to: request) == .newClient(yours, nodeMAC))
        request.isBroadcast = true
        #expect(DHCPReplyDestination(of: offer, to: request) == .broadcast)
        request.clientAddress = IPv4Address(10, 0, 0, 9)
        #expect(DHCPReplyDestination(of: offer, to: request) == .client(IPv4Address(10, 0, 0, 9)))
        #expect(DHCPReplyDestination(of: reply([.messageType(.nak)]), to: request) == .broadcast)
        request.relayAgent = IPv4Address(10, 9, 0, 1)
        let relayed = DHCPReplyDestination(of: reply([.messageType(.nak)]), to: request)
        #expect(relayed.endpoint == Endpoint(IPv4Address(10, 9, 0, 1), 67))
        // A proxy's offer gives no address.
        let plain = DHCPMessage(operation: .request, hardware: ClientHardware(nodeMAC), transaction: 1)
        #expect(DHCPReplyDestination(of: reply([.messageType(.offer)]), to: plain) == .broadcast)
        var strange = plain
        strange.hardware = ClientHardware(type: 32, length: 16, bytes: [1])
        #expect(DHCPReplyDestination(of: offer, to: strange) == .broadcast)
    }
}
