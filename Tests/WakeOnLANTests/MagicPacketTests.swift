import NetworkTypes
import Testing
import WakeOnLAN

@Suite struct MagicPacketTests {
    @Test func repeatsTheAddressSixteenTimes() throws {
        let mac = try #require(MACAddress("52:54:00:12:34:56"))
        let bytes = MagicPacket(mac).bytes
        #expect(bytes.count == 102)
        #expect(bytes.prefix(6).allSatisfy { $0 == 0xFF })
        for copy in 0..<16 { #expect(Array(bytes[6 + 6 * copy..<12 + 6 * copy]) == mac.bytes) }
    }

    @Test func thePasswordComesLast() throws {
        let mac = try #require(MACAddress("52:54:00:12:34:56"))
        #expect(MagicPacket.password("01:02:03:04:05:06") == [1, 2, 3, 4, 5, 6])
        #expect(MagicPacket.password("192.168.1.2") == [192, 168, 1, 2])
        #expect(MagicPacket.password("secret") == nil)
        let bytes = MagicPacket(mac, password: [1, 2, 3, 4, 5, 6]).bytes
        #expect(bytes.count == 108)
        #expect(bytes.suffix(6) == [1, 2, 3, 4, 5, 6])
    }
}
