import BootModel
import DHCP
import DHCPServer
import NetworkTypes
import Testing

@Suite struct FullModeTests {
    @Test func biosROM() throws {
        var server = try Server()
        let client = Client.biosROM
        let outcome = try server.handle(client.message(.discover))
        #expect(outcome.events == [.discover, .offer])
        #expect(outcome.changes.isEmpty)
        let sent = try #require(outcome.replies.first)
        #expect(sent.destination == .broadcast)
        let offer = sent.message
        #expect(try offer.messageType() == .offer)
        #expect(offer.bootFileText == "undionly.kpxe")
        #expect(offer.bootFileName() == "undionly.kpxe")
        #expect(offer.nextServer == Server.address)
        #expect(offer.tftpServerName() == "10.0.0.1")
        #expect(offer.vendorClass() == .pxeClient)
        #expect(try offer.pxeVendorOptions()?.discoveryControl == 8)
        #expect(offer.first(.machineIdentifier) == [0] + [UInt8](1...16))
        #expect(try offer.leaseTime() == 3600)
        #expect(try offer.renewalTime() == 1800)
        #expect(try offer.rebindingTime() == 3150)
        #expect(try offer.subnetMask() == IPv4Address(255, 255, 255, 0))
        #expect(try offer.ipxeOptions() == nil)

        let request = client.message(
            .request,
            [.requestedAddress(offer.yourAddress), .serverIdentifier(Server.address)]
        )
        let bound = try server.handle(request)
        #expect(bound.events == [.request, .acknowledge])
        #expect(bound.changes.count == 1)
        #expect(bound.replies.first?.message.yourAddress == offer.yourAddress)
        #expect(bound.replies.first?.message.bootFileText == "undionly.kpxe")
    }

    @Test func ipxeGetsTheScriptAndNoWait() throws {
        var server = try Server()
        let outcome = try server.handle(Client.ipxe.message(.discover))
        let offer = try #require(outcome.replies.first?.message)
        #expect(offer.bootFileText == "http://10.0.0.1:8067/boot/52-54-00-12-34-56/script.ipxe")
        #expect(try offer.ipxeOptions()?.suboptions.first(0xb0) == [1])
        #expect(offer.vendorClass() == nil)
        #expect(outcome.actions.contains(.advertiseNoRouter))
        #expect(server.engine.isBooting(Client.ipxe.mac, now: server.now))
        #expect(!server.engine.isBooting(Client.ipxe.mac, now: server.now.advanced(bySeconds: 121)))
    }

    /// An iPXE that cannot fetch by HTTP gets our loader in its place.
    @Test func ipxeWithoutHTTPIsReplaced() throws {
        var server = try Server()
        let old = Client(options: [.vendorClass(.pxeClient), .clientArchitectures([0]), .userClass(raw: "iPXE")])
        #expect(try server.answer(old.message(.discover))?.bootFileText == "undionly.kpxe")
    }

    @Test func ovmfPXEHasABareFileName() throws {
        var server = try Server()
        let offer = try #require(try server.answer(Client.ovmfPXE.message(.discover)))
        #expect(offer.bootFileText == "snponly.efi")
        #expect(offer.vendorClass() == nil)
        #expect(offer.first(.vendorOptions) == nil)
    }

    @Test func ovmfHTTPHasItsClassAndAnAbsoluteURL() throws {
        var server = try Server()
        let offer = try #require(try server.answer(Client.ovmfHTTP.message(.discover)))
        #expect(offer.vendorClass() == .httpClient)
        #expect(offer.bootFileName() == "http://10.0.0.1:8067/loaders/snponly.efi")
        #expect(offer.bootFileText == "http://10.0.0.1:8067/loaders/snponly.efi")
        #expect(offer.nextServer.isAny)
        #expect(offer.tftpServerName() == nil)
    }

    @Test(arguments: [Client.klibc, .udhcpc, .dhclient]) func operatingSystemsGetAnAddressAlone(_ client: Client) throws
    {
        var server = try Server()
        let outcome = try server.handle(client.message(.discover))
        #expect(outcome.events.isEmpty)
        let sent = try #require(outcome.replies.first)
        #expect(sent.message.bootFileText == "")
        #expect(sent.message.first(.bootFileName) == nil)
        #expect(
            sent.destination
                == (client.isBroadcast ? .broadcast : .newClient(sent.message.yourAddress, client.mac))
        )
        #expect(outcome.lines.allSatisfy { !$0.contains("\u{1b}") })
    }

    /// ROM, iPXE, initramfs and system name themselves differently (option 61) and keep one address.
    @Test func oneAddressThroughAllStages() throws {
        var server = try Server()
        let first = try #require(try Client.biosROM.address(from: &server))
        for client in [Client.ipxe, .klibc, .udhcpc, .dhclient] {
            #expect(try client.address(from: &server) == first)
        }
    }

    @Test func reservationsByMAC() throws {
        let node = Node(
            name: try NodeName(validating: "megane"),
            macs: [Client.ipxe.mac, MACAddress(value: 0x5254_0099_9999)],
            address: IPv4Address(10, 0, 0, 71)
        )
        var server = try Server(nodes: [node])
        let offer = try #require(try server.answer(Client.ipxe.message(.discover)))
        #expect(offer.yourAddress == IPv4Address(10, 0, 0, 71))
        #expect(offer.hostName() == "megane")
        #expect(try Client.biosROM.address(from: &server) == IPv4Address(10, 0, 0, 71))
        // Nobody else gets it, though it asks.
        let other = Client(mac: MACAddress(value: 0x5254_0000_0001))
        let reply = try server.answer(other.message(.discover, [.requestedAddress(IPv4Address(10, 0, 0, 71))]))
        #expect(reply?.yourAddress != IPv4Address(10, 0, 0, 71))
    }

    @Test func anotherServerIsChosen() throws {
        var server = try Server(pools: ["10.0.0.200-10.0.0.200"])
        _ = try server.answer(Client.udhcpc.message(.discover))
        let chosen: [DHCPOption] = [
            .requestedAddress(IPv4Address(10, 0, 0, 200)), .serverIdentifier(IPv4Address(10, 0, 0, 2)),
        ]
        let outcome = try server.handle(Client.udhcpc.message(.request, chosen))
        #expect(outcome.replies.isEmpty && outcome.changes.isEmpty)
        // The offer is free for the next.
        let other = Client(mac: MACAddress(value: 0x5254_0000_0001))
        #expect(try other.address(from: &server) == IPv4Address(10, 0, 0, 200))
    }

    @Test func wrongAddressesAreRefused() throws {
        var server = try Server()
        let elsewhere = Client.udhcpc.message(.request, [.requestedAddress(IPv4Address(192, 168, 1, 9))])
        #expect(try server.answer(elsewhere)?.messageType() == .nak)
        #expect(try server.answer(elsewhere)?.errorMessage() == "192.168.1.9 is not on network lab")
        let own = Client.udhcpc.message(.request, [.requestedAddress(Server.address)])
        #expect(try server.answer(own)?.messageType() == .nak)
    }

    /// After the leases were lost a client still gets the address it names, if it is free.
    @Test func initRebootWithoutARecord() throws {
        var server = try Server()
        let wanted = IPv4Address(10, 0, 0, 150)
        let outcome = try server.handle(Client.udhcpc.message(.request, [.requestedAddress(wanted)]))
        #expect(outcome.replies.first?.message.yourAddress == wanted)
        #expect(outcome.changes.count == 1)
    }

    @Test func renewalIsUnicast() throws {
        var server = try Server()
        let address = try #require(try Client.udhcpc.address(from: &server))
        server.now = server.now.advanced(bySeconds: 1800)
        let outcome = try server.handle(Client.udhcpc.message(.request, from: address))
        #expect(outcome.replies.first?.destination == .client(address))
        guard case .set(let lease)? = outcome.changes.first else { return #expect(Bool(false)) }
        #expect(lease.expires == server.now.advanced(bySeconds: 3600))
    }

    @Test func releaseAndDecline() throws {
        var server = try Server(pools: ["10.0.0.200-10.0.0.201"])
        let address = try #require(try Client.udhcpc.address(from: &server))
        let stranger = Client(mac: MACAddress(value: 0x5254_0000_0001))
        #expect(try server.handle(stranger.message(.release, from: address)).changes.isEmpty)
        #expect(try server.handle(stranger.message(.decline, [.requestedAddress(address)])).changes.isEmpty)
        #expect(try server.handle(Client.udhcpc.message(.release, from: address)).changes.count == 1)
        #expect(try Client.udhcpc.address(from: &server) == address)
        let declined = try server.handle(Client.udhcpc.message(.decline, [.requestedAddress(address)]))
        #expect(declined.changes.count == 1)
        #expect(declined.lines.first?.contains("in use by another machine") == true)
        let next = try #require(try Client.udhcpc.address(from: &server))
        #expect(next != address)
        // Both are out of use now, until the hour has passed.
        _ = try server.handle(Client.udhcpc.message(.decline, [.requestedAddress(next)]))
        #expect(try Client.udhcpc.address(from: &server) == nil)
        server.now = server.now.advanced(bySeconds: 3601)
        #expect(try Client.udhcpc.address(from: &server) != nil)
    }

    @Test func informIsAnsweredWithoutALease() throws {
        var server = try Server()
        let outcome = try server.handle(Client.udhcpc.message(.inform, from: IPv4Address(10, 0, 0, 50)))
        let sent = try #require(outcome.replies.first)
        #expect(outcome.changes.isEmpty)
        #expect(sent.destination == .client(IPv4Address(10, 0, 0, 50)))
        #expect(try sent.message.messageType() == .ack)
        #expect(sent.message.yourAddress.isAny)
        #expect(try sent.message.leaseTime() == nil)
    }

    @Test func anExhaustedPoolIsSaid() throws {
        var server = try Server(pools: ["10.0.0.200-10.0.0.200"])
        #expect(try Client.udhcpc.address(from: &server) != nil)
        let other = Client(mac: MACAddress(value: 0x5254_0000_0001), options: Client.ipxe.options)
        let outcome = try server.handle(other.message(.discover))
        #expect(outcome.replies.isEmpty)
        #expect(outcome.events == [.discover, .refuse])
        #expect(outcome.lines.first?.contains("exhausted") == true)
    }

    @Test func unknownMachinesByPolicy() throws {
        var only = try Server(unknown: .addressOnly)
        let offer = try #require(try only.answer(Client.ipxe.message(.discover)))
        #expect(offer.bootFileText == "")
        #expect(!offer.yourAddress.isAny)
        var ignoring = try Server(unknown: .ignore)
        #expect(try ignoring.answer(Client.ipxe.message(.discover)) == nil)
    }

    @Test func aRefusedBootStillGetsItsAddress() throws {
        var server = try Server(refusal: BootRefusal("there is no image yet"))
        let outcome = try server.handle(Client.ipxe.message(.discover))
        #expect(outcome.replies.first?.message.bootFileText == "")
        #expect(outcome.events == [.discover, .refuse, .offer])
        #expect(outcome.lines.contains { $0.contains("there is no image yet") })
        let riscv = Client(options: [.vendorClass(.pxeClient), .clientArchitectures([27])])
        var plain = try Server()
        #expect(try plain.answer(riscv.message(.discover))?.bootFileText == "")
    }

    @Test func relayed() throws {
        var server = try Server()
        var message = Client.udhcpc.message(.discover, [DHCPOption(.relayAgentInformation, [1, 2, 9, 9])])
        message.relayAgent = IPv4Address(10, 9, 0, 1)
        message.hops = 1
        let sent = try #require(try server.handle(message).replies.first)
        #expect(sent.destination == .relay(IPv4Address(10, 9, 0, 1)))
        #expect(sent.message.relayAgent == IPv4Address(10, 9, 0, 1))
        #expect(sent.message.yourAddress.description.hasPrefix("10.9.0."))
        #expect(sent.message.options.entries.last == DHCPOption(.relayAgentInformation, [1, 2, 9, 9]))
        // Link selection names another subnet than the relay's own.
        message.options.entries[message.options.entries.count - 1].value = [5, 4, 10, 0, 0, 0]
        #expect(try server.answer(message)?.yourAddress.description.hasPrefix("10.0.0.") == true)
        // No network of ours.
        message.options.entries.removeLast()
        message.relayAgent = IPv4Address(172, 16, 0, 1)
        #expect(try server.answer(message) == nil)
    }

    @Test func whatIsNoRequestIsNotAnswered() throws {
        var server = try Server()
        var reply = Client.udhcpc.message(.offer)
        reply.operation = .reply
        #expect(try server.handle(reply).isEmpty)
        var bootp = Client.udhcpc.message(.discover)
        bootp.options = DHCPOptions()
        #expect(try server.answer(bootp) == nil)
        var odd = Client.udhcpc.message(.discover)
        odd.hardware = ClientHardware(type: 32, length: 8, bytes: [1])
        #expect(try server.answer(odd) == nil)
    }
}
