import NetworkTypes
import Testing

@testable import Daemon

@Suite struct PeerDirectoryTests {
    /// As Linux prints /proc/net/arp: the second entry is one that was never answered.
    private let table = """
        IP address       HW type     Flags       HW address            Mask     Device
        10.77.0.21       0x1         0x2         52:54:00:00:00:21     *        br0
        10.77.0.22       0x1         0x0         00:00:00:00:00:00     *        br0

        """

    @Test func findsTheMachineBehindAnAddress() {
        #expect(PeerDirectory.neighbour(IPv4Address(10, 77, 0, 21), in: table)?.description == "52:54:00:00:00:21")
    }

    @Test func anUnansweredEntryIsNobody() {
        #expect(PeerDirectory.neighbour(IPv4Address(10, 77, 0, 22), in: table) == nil)
        #expect(PeerDirectory.neighbour(IPv4Address(10, 77, 0, 2), in: table) == nil)
        #expect(PeerDirectory.neighbour(IPv4Address(10, 77, 0, 2), in: "") == nil)
    }

    @Test func ourOwnLeasesWin() throws {
        let mac = try #require(MACAddress("52:54:00:00:00:99"))
        let peers = PeerDirectory(leaseHolder: { _ in mac }, neighbourTable: "/nonexistent")
        #expect(peers.mac(of: IPv4Address(10, 77, 0, 21)) == mac)
    }
}
