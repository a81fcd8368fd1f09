import BootModel
import NetworkIO
import NetworkTypes
import Testing

@testable import Daemon

@Suite struct InterfaceNetworkTests {
    private func network(_ address: String, _ length: Int, dhcp: Network.DHCPMode = .full) throws -> Network {
        let address = try #require(IPv4Address(address))
        let subnet = try #require(IPv4Subnet(containing: address, prefixLength: length))
        let interface = NetworkInterface(name: "eth1", index: 2, address: address, subnet: subnet)
        return InterfaceNetwork.network(of: interface, dhcp: dhcp)
    }

    @Test func thePoolIsTheUpperHalf() throws {
        #expect(try network("10.0.0.1", 24).pools.map(\.description) == ["10.0.0.128-10.0.0.254"])
    }

    @Test func ourOwnAddressIsNotInThePool() throws {
        #expect(
            try network("10.0.0.200", 24).pools.map(\.description) == [
                "10.0.0.128-10.0.0.199", "10.0.0.201-10.0.0.254",
            ]
        )
        #expect(try network("10.0.0.254", 24).pools.map(\.description) == ["10.0.0.128-10.0.0.253"])
    }

    @Test func everySubnetGivesASoundNetwork() throws {
        for length in [8, 16, 22, 24, 29, 30, 31, 32] {
            let network = try network("10.0.0.1", length)
            #expect(Fleet(networks: [network]).problems == [], "/\(length)")
        }
    }

    @Test func besideAnotherServerThereIsNoPool() throws {
        #expect(try network("10.0.0.1", 24, dhcp: .proxy).pools.isEmpty)
    }
}
