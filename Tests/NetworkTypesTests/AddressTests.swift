import NetworkTypes
import Testing

@Suite struct AddressTests {
    @Test(arguments: ["52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456", "52:54:0:12:34:56"])
    func readsAMACAddress(text: String) throws {
        let mac = try #require(MACAddress(text))
        #expect(mac.description == "52:54:00:12:34:56")
        #expect(mac.dashed == "52-54-00-12-34-56")
        #expect(mac.bytes == [0x52, 0x54, 0x00, 0x12, 0x34, 0x56])
    }

    @Test(arguments: ["", "52:54:00:12:34", "52:54:00:12:34:5g", "52540012345", "+52540012345", "52:54:00:12:34:56:78"])
    func refusesAMalformedMACAddress(text: String) { #expect(MACAddress(text) == nil) }

    @Test(arguments: ["1.2.3", "256.0.0.1", "1.2.3.4.5", "01.2.3.4", "1.2.3.+4", " 1.2.3.4", ""])
    func refusesAMalformedIPv4Address(text: String) { #expect(IPv4Address(text) == nil) }

    @Test func writesAnIPv4Address() {
        let address = IPv4Address(10, 0, 0, 171)
        #expect(address.description == "10.0.0.171")
        #expect(address.hexadecimal == "0A0000AB")
        #expect(IPv4Address("10.0.0.171") == address)
        #expect(IPv4Address(bytes: address.bytes) == address)
    }

    @Test func subnetKnowsItsHosts() throws {
        let subnet = try #require(IPv4Subnet("10.77.0.0/22"))
        #expect(subnet.mask.description == "255.255.252.0")
        #expect(subnet.broadcast.description == "10.77.3.255")
        #expect(subnet.containsHost(IPv4Address(10, 77, 3, 254)))
        #expect(!subnet.containsHost(subnet.broadcast))
        #expect(!subnet.containsHost(subnet.address))
        #expect(!subnet.contains(IPv4Address(10, 77, 4, 1)))
        #expect(IPv4Subnet("10.77.0.1/22") == nil)
        #expect(IPv4Subnet("10.77.0.0/33") == nil)
        #expect(IPv4Subnet("0.0.0.0/0")?.contains(.broadcast) == true)
    }

    @Test func rangesCountBothEnds() throws {
        let range = try #require(IPv4Range("10.0.0.128-10.0.0.254"))
        #expect(range.count == 127)
        #expect(IPv4Range("10.0.0.2-10.0.0.1") == nil)
        let other = try #require(IPv4Range("10.0.0.254-10.0.1.3"))
        #expect(range.overlaps(other))
    }

    @Test func uuidTextFollowsSMBIOS() throws {
        let text = "12345678-9abc-def0-1122-334455667788"
        let uuid = try #require(MachineUUID(text))
        #expect(
            uuid.bytes == [
                0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
            ]
        )
        #expect(uuid.description == text)
    }

    @Test func endpointWithoutAHostMeansEveryAddress() {
        #expect(Endpoint(":69") == Endpoint(.any, 69))
        #expect(Endpoint("10.0.0.1:10809")?.description == "10.0.0.1:10809")
        #expect(Endpoint("10.0.0.1:65536") == nil)
    }
}

@Suite struct TextTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, 101, 199, 200, 255] as [UInt8])
    func everyOctetIsWritten(octet: UInt8) {
        let text = "\(octet)"
        #expect(IPv4Address(octet, octet, 0, octet).description == "\(text).\(text).0.\(text)")
    }

    @Test func aMACAddressIsWrittenThreeWays() {
        let mac = MACAddress(value: 0x00ab_cdef_0019)
        #expect(mac.description == "00:ab:cd:ef:00:19")
        #expect(mac.dashed == "00-ab-cd-ef-00-19")
        #expect(mac.hexadecimal == "00abcdef0019")
    }

    @Test func textFromTheNetworkStaysOnItsLine() {
        #expect("a\nb\r\u{1b}[2J\u{9b}\u{202e}\u{2028}ü".printable == "a?b??[2J???ü")
        #expect(String(repeating: "x", count: 1000).printable.count == 255)
    }
}
