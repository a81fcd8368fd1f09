import BootModel
import NetworkIO
import NetworkTypes
import Testing

@testable import Daemon

/// Which interfaces DHCP answers on.
@Suite struct DHCPServiceTests {
    private func interface(_ name: String, _ index: Int32, _ address: IPv4Address) throws -> NetworkInterface {
        let subnet = try #require(IPv4Subnet(containing: address, prefixLength: 24))
        return NetworkInterface(name: name, index: index, address: address, subnet: subnet)
    }

    private func network(_ name: String, on interface: String?, _ subnet: String) throws -> Network {
        Network(
            name: try NetworkName(validating: name),
            interface: interface,
            subnet: try #require(IPv4Subnet(subnet)),
            dhcp: .proxy
        )
    }

    @Test func anInterfaceThatIsMissingHoldsUpNoOther() throws {
        let fleet = Fleet(networks: [
            try network("lab", on: "eth1", "10.0.0.0/24"), try network("hall", on: "eth2", "10.0.1.0/24"),
            try network("attic", on: nil, "10.0.2.0/24"),
        ])
        let there = [
            try interface("eth1", 3, IPv4Address(10, 0, 0, 1)), try interface("lo", 1, IPv4Address(127, 0, 0, 1)),
        ]
        let first = DHCPService.places(of: fleet, among: there)
        #expect(first.found == [DHCPService.Place(name: "eth1", index: 3)])
        #expect(first.missing == ["eth2"])
        let later =
            there + [
                try interface("eth2", 9, IPv4Address(10, 0, 1, 1)), try interface("br0", 7, IPv4Address(10, 0, 2, 1)),
            ]
        let second = DHCPService.places(of: fleet, among: later)
        #expect(second.found.map(\.name) == ["br0", "eth1", "eth2"])
        #expect(second.missing.isEmpty)
    }

    @Test func anInterfaceThatWasMadeAnewIsAnotherOne() throws {
        let fleet = Fleet(networks: [try network("lab", on: "eth1", "10.0.0.0/24")])
        let old = DHCPService.places(of: fleet, among: [try interface("eth1", 3, IPv4Address(10, 0, 0, 1))]).found
        let new = DHCPService.places(of: fleet, among: [try interface("eth1", 4, IPv4Address(10, 0, 0, 1))]).found
        #expect(old != new)
    }
}
