import DHCP
import NetworkTypes
import Testing

/// Absent, malformed and present are three answers, for every typed option.
@Suite struct OptionTests {
    private func message(_ option: DHCPOption) throws -> DHCPMessage { try overTheWire(sampleMessage([option])) }
    private func message(_ code: UInt8, _ value: [UInt8]) throws -> DHCPMessage {
        try message(DHCPOption(DHCPOptionCode(rawValue: code), value))
    }

    @Test func absentIsNil() throws {
        let none = try overTheWire(sampleMessage([]))
        #expect(try none.messageType() == nil)
        #expect(try none.requestedAddress() == nil)
        #expect(try none.routers() == nil)
        #expect(try none.leaseTime() == nil)
        #expect(none.parameterRequestList() == nil)
        #expect(try none.maximumMessageSize() == nil)
        #expect(none.vendorClass() == nil)
        #expect(try none.clientIdentifier() == nil)
        #expect(none.bootFileName() == nil)
        #expect(try none.userClasses() == nil)
        #expect(try none.relayAgentInformation() == nil)
        #expect(try none.clientArchitectures() == nil)
        #expect(try none.networkInterface() == nil)
        #expect(try none.machineUUID() == nil)
        #expect(try none.pxeVendorOptions() == nil)
        #expect(try none.ipxeOptions() == nil)
        #expect(try none.bootItem() == nil)
    }

    @Test(arguments: [53, 50, 54, 51, 57, 58, 59, 1, 28, 118, 94] as [UInt8])
    func aFixedSizeOptionOfAnotherSizeIsMalformed(_ code: UInt8) throws {
        for value in [[], [1, 2, 3, 4, 5]] as [[UInt8]] {
            let message = try message(code, value)
            let readers: [UInt8: () throws -> Any?] = [
                53: { try message.messageType() }, 50: { try message.requestedAddress() },
                54: { try message.serverIdentifier() }, 51: { try message.leaseTime() },
                57: { try message.maximumMessageSize() }, 58: { try message.renewalTime() },
                59: { try message.rebindingTime() }, 1: { try message.subnetMask() },
                28: { try message.broadcastAddress() }, 118: { try message.subnetSelection() },
                94: { try message.networkInterface() },
            ]
            #expect(throws: DHCPOptionError.self) { _ = try readers[code]?() }
        }
    }

    @Test func messageTypes() throws {
        #expect(try message(53, [3]).messageType() == .request)
        #expect(try message(53, [99]).messageType()?.description == "TYPE-99")
        #expect(DHCPMessageType.inform.description == "INFORM")
    }

    @Test func addresses() throws {
        let a = IPv4Address(10, 0, 0, 1)
        let b = IPv4Address(10, 0, 0, 2)
        #expect(try message(.requestedAddress(a)).requestedAddress() == a)
        #expect(try message(.serverIdentifier(a)).serverIdentifier() == a)
        #expect(try message(.subnetMask(a)).subnetMask() == a)
        #expect(try message(.broadcastAddress(a)).broadcastAddress() == a)
        #expect(try message(.routers([a, b])).routers() == [a, b])
        #expect(try message(.nameServers([a, b])).nameServers() == [a, b])
        #expect(try message(.timeServers([a])).timeServers() == [a])
        #expect(throws: DHCPOptionError.self) { try message(6, [1, 2, 3, 4, 5]).nameServers() }
        #expect(throws: DHCPOptionError.self) { try message(3, []).routers() }
    }

    @Test func times() throws {
        #expect(try message(.leaseTime(43200)).leaseTime() == 43200)
        #expect(try message(.renewalTime(1)).renewalTime() == 1)
        #expect(try message(.rebindingTime(.max)).rebindingTime() == .max)
    }

    @Test func requestList() throws {
        #expect(
            try message(.parameterRequestList([.subnetMask, .ipxe])).parameterRequestList() == [.subnetMask, .ipxe]
        )
    }

    @Test func texts() throws {
        #expect(try message(.bootFileName("ipxe.efi")).bootFileName() == "ipxe.efi")
        #expect(try message(.bootFileName("x")).first(.bootFileName) == [0x78, 0])
        #expect(try message(.tftpServerName("10.0.0.1")).tftpServerName() == "10.0.0.1")
        #expect(try message(.hostName("megane")).hostName() == "megane")
        #expect(try message(.domainName("lab.example")).domainName() == "lab.example")
        #expect(try message(.errorMessage("no")).errorMessage() == "no")
        #expect(try message(.configurationFile("c")).configurationFile() == "c")
        #expect(try message(.pathPrefix("/p/")).pathPrefix() == "/p/")
        #expect(try message(12, [0x61, 0xff, 0]).hostName() == "a\u{fffd}")
    }

    @Test func vendorClass() throws {
        let pxe = try #require(try message(.vendorClass(VendorClass("PXEClient:Arch:00007:UNDI:003016"))).vendorClass())
        #expect(pxe.isPXE && !pxe.isHTTP)
        #expect(pxe.architecture == 7)
        #expect(pxe.networkInterfaceVersion?.major == 3)
        #expect(pxe.networkInterfaceVersion?.minor == 16)
        let http = VendorClass("HTTPClient:Arch:00016:UNDI:003000")
        #expect(http.isHTTP && http.architecture == 16)
        #expect(VendorClass("PXEClient").architecture == nil)
        #expect(VendorClass("PXEClient:Arch").architecture == nil)
        #expect(VendorClass("PXEClient:Arch:x:UNDI:1").networkInterfaceVersion == nil)
        #expect(VendorClass("udhcp 1.35.0:Arch:00007").architecture == nil)
    }

    @Test func clientIdentifier() throws {
        #expect(try message(61, [1, 2, 3]).clientIdentifier()?.description == "010203")
        #expect(try message(61, [9]).clientIdentifier()?.type == 9)
        #expect(throws: DHCPOptionError.self) { try message(61, []).clientIdentifier() }
    }

    /// iPXE sends bare text, others RFC 3004's list.
    @Test func userClass() throws {
        #expect(try message(.userClass(raw: "iPXE")).userClasses() == ["iPXE"])
        #expect(try message(.userClasses(["iPXE", "lab"])).userClasses() == ["iPXE", "lab"])
        #expect(try message(77, [4, 0x69, 0x50, 0x58, 0x45, 9]).userClasses()?.count == 1)
        #expect(throws: DHCPOptionError.self) { try message(77, []).userClasses() }
    }

    @Test func relayAgentInformation() throws {
        let relay = try message(82, [1, 2, 0xaa, 0xbb, 2, 1, 7, 5, 4, 10, 0, 2, 0, 11, 4, 10, 0, 2, 1])
            .relayAgentInformation()
        #expect(relay?.circuit == [0xaa, 0xbb])
        #expect(relay?.remote == [7])
        #expect(relay?.linkSelection == IPv4Address(10, 0, 2, 0))
        #expect(relay?.serverIdentifierOverride == IPv4Address(10, 0, 2, 1))
        #expect(throws: DHCPOptionError.self) { try message(82, [1, 3, 1]).relayAgentInformation() }
    }

    @Test func architectures() throws {
        #expect(try message(.clientArchitectures([7, 16])).clientArchitectures() == [7, 16])
        #expect(throws: DHCPOptionError.self) { try message(93, [0]).clientArchitectures() }
        #expect(throws: DHCPOptionError.self) { try message(93, []).clientArchitectures() }
        #expect(try message(94, [1, 3, 16]).networkInterface()?.major == 3)
    }

    @Test func machineUUID() throws {
        let uuid = try #require(MachineUUID("00112233-4455-6677-8899-aabbccddeeff"))
        #expect(try message(.machineUUID(uuid)).machineUUID() == uuid)
        // Firmware without a UUID.
        #expect(try message(97, []).machineUUID() == nil)
        #expect(throws: DHCPOptionError.self) { try message(97, [0, 1, 2]).machineUUID() }
        // EDK2 with SendGUID.
        var hidden = sampleMessage([])
        hidden.hardware = ClientHardware(type: 1, length: 16, bytes: uuid.bytes)
        #expect(try overTheWire(hidden).machineUUID() == uuid)
    }

    @Test func pxeVendorOptions() throws {
        #expect(DHCPOption.pxeVendorOptions(.bootFileOnly).value == [6, 1, 8, 255])
        #expect(try message(.pxeVendorOptions(.bootFileOnly)).pxeVendorOptions()?.discoveryControl == 8)
        let menu = PXEVendorOptions([
            PXEVendorOptions.menu([.init(type: 0, text: "Local disk"), .init(type: 0x8001, text: "diskless")]),
            PXEVendorOptions.prompt("F8", seconds: 3),
        ])
        let decoded = try #require(try message(.pxeVendorOptions(menu)).pxeVendorOptions())
        #expect(decoded.menu == [.init(type: 0, text: "Local disk"), .init(type: 0x8001, text: "diskless")])
        #expect(decoded.suboptions.first(10) == [3, 0x46, 0x38])
        #expect(try message(43, [9, 4, 0, 0, 9, 1]).pxeVendorOptions()?.menu == nil)
        #expect(throws: DHCPOptionError.self) { try message(43, [6, 9, 1]).pxeVendorOptions() }
        #expect(try message(43, [0, 6, 1, 8, 255, 1, 2]).pxeVendorOptions()?.discoveryControl == 8)
    }

    @Test func bootItem() throws {
        #expect(try message(71, [0x80, 1, 0, 0]).bootItem() == [0x80, 1, 0, 0])
        #expect(try message(43, [71, 4, 0x80, 2, 0, 0, 255]).bootItem() == [0x80, 2, 0, 0])
        #expect(throws: DHCPOptionError.self) { try message(71, [1]).bootItem() }
    }

    /// As iPXE 1.0 in QEMU's ROM sends it.
    @Test func ipxe() throws {
        let value: [UInt8] = [
            0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0xeb, 3, 1, 0, 0, 0x17, 1, 1, 0x15, 1, 1, 0x13, 1, 1, 0x11, 1, 1, 0x27, 1,
            1,
            0x19, 1, 1, 0x10, 1, 2, 0x21, 1, 1, 0x18, 1, 1,
        ]
        let ipxe = try #require(try message(175, value).ipxeOptions())
        #expect(ipxe.version == "1.0.0")
        #expect(ipxe.has(.http) && ipxe.has(.menu) && ipxe.has(.pxe) && ipxe.has(.bzImage))
        #expect(!ipxe.has(.efi))
        #expect(DHCPOption.ipxeOptions(.noProxyDHCP).value == [0xb0, 1, 1])
        #expect(throws: DHCPOptionError.self) { try message(175, [1, 2]).ipxeOptions() }
    }
}
