import BootModel
import DHCP
import DHCPServer
import NetworkTypes
import Testing

@Suite struct ProxyModeTests {
    private let node = Endpoint(IPv4Address(10, 0, 0, 77), 4011)

    @Test func biosTakesTheFileOfTheOffer() throws {
        var server = try Server(.proxy)
        let outcome = try server.handle(Client.biosROM.message(.discover))
        let sent = try #require(outcome.replies.first)
        #expect(outcome.changes.isEmpty)
        #expect(sent.destination == .broadcast)
        #expect(sent.message.yourAddress.isAny)
        #expect(sent.message.isBroadcast)
        #expect(sent.message.vendorClass() == .pxeClient)
        #expect(sent.message.first(.vendorOptions) == [6, 1, 8, 255])
        #expect(sent.message.bootFileText == "undionly.kpxe")
        #expect(sent.message.nextServer == Server.address)
        #expect(try sent.message.serverIdentifier() == Server.address)
        #expect(try sent.message.leaseTime() == nil)
        #expect(try sent.message.subnetMask() == nil)
    }

    @Test func uefiComesToPort4011() throws {
        var server = try Server(.proxy)
        let offer = try #require(try server.answer(Client.ovmfPXE.message(.discover)))
        #expect(offer.vendorClass() == .pxeClient)
        #expect(offer.first(.vendorOptions) == nil)
        #expect(offer.nextServer == Server.address)
        let request = Client.ovmfPXE.message(.request, from: node.address)
        let outcome = try server.handle(request, port: .bootServer, peer: node)
        let sent = try #require(outcome.replies.first)
        #expect(outcome.events == [.request, .acknowledge])
        #expect(sent.destination == .sender(node))
        #expect(try sent.message.messageType() == .ack)
        #expect(sent.message.bootFileText == "snponly.efi")
        #expect(sent.message.nextServer == Server.address)
        #expect(sent.message.vendorClass() == .pxeClient)
        #expect(sent.message.yourAddress.isAny)
    }

    @Test func ipxeHasItAllInTheOffer() throws {
        var server = try Server(.proxy)
        let outcome = try server.handle(Client.ipxe.message(.discover))
        let offer = try #require(outcome.replies.first?.message)
        #expect(offer.bootFileText == "http://10.0.0.1:8067/boot/52-54-00-12-34-56/script.ipxe")
        #expect(offer.nextServer == Server.address)
        #expect(offer.vendorClass() == .pxeClient)
        #expect(try offer.ipxeOptions() == nil)
        #expect(outcome.actions.contains(.advertiseNoRouter))
    }

    @Test func httpBoot() throws {
        var server = try Server(.proxy)
        let offer = try #require(try server.answer(Client.ovmfHTTP.message(.discover)))
        #expect(offer.vendorClass() == .httpClient)
        #expect(offer.bootFileName()?.hasPrefix("http://10.0.0.1:8067/") == true)
        #expect(offer.nextServer.isAny && offer.yourAddress.isAny)
    }

    /// A ROM that showed a menu gets the item it names, and the file.
    @Test func theChosenItemComesBack() throws {
        var server = try Server(.proxy)
        let item = DHCPOption(.vendorOptions, [71, 4, 0x80, 1, 0, 0, 255])
        let message = Client.biosROM.message(.inform, [item], from: node.address)
        let ack = try #require(try server.answer(message, port: .bootServer, peer: node))
        #expect(ack.first(.vendorOptions) == [71, 4, 0x80, 1, 0, 0, 255])
        #expect(ack.bootFileText == "undionly.kpxe")
    }

    /// Nothing that belongs to the real server is touched.
    @Test(arguments: [DHCPMessageType.request, .decline, .release, .inform])
    func nothingButDiscoverOnPort67(_ type: DHCPMessageType) throws {
        var server = try Server(.proxy)
        let message = Client.biosROM.message(
            type,
            [.requestedAddress(node.address), .serverIdentifier(Server.address)],
            from: node.address
        )
        #expect(try server.handle(message).isEmpty)
    }

    @Test(arguments: [Client.klibc, .udhcpc, .dhclient]) func operatingSystemsAreLeftAlone(_ client: Client) throws {
        var server = try Server(.proxy)
        #expect(try server.handle(client.message(.discover)).isEmpty)
        #expect(try server.handle(client.message(.request), port: .bootServer).isEmpty)
    }

    /// An ACK without a boot file would abort the boot: better none.
    @Test func nothingToBootMeansSilence() throws {
        var server = try Server(.proxy, refusal: BootRefusal("there is no image yet"))
        let outcome = try server.handle(Client.ovmfPXE.message(.discover))
        #expect(outcome.replies.isEmpty)
        #expect(outcome.events == [.discover, .refuse])
    }

    @Test func offMeansSilence() throws {
        var server = try Server(.off)
        #expect(try server.answer(Client.biosROM.message(.discover)) == nil)
        #expect(try server.answer(Client.biosROM.message(.request), port: .bootServer) == nil)
    }

    @Test func fullModeServesPort4011Too() throws {
        var server = try Server(.full)
        let ack = try server.answer(Client.ovmfPXE.message(.request, from: node.address), port: .bootServer, peer: node)
        #expect(ack?.bootFileText == "snponly.efi")
    }
}
