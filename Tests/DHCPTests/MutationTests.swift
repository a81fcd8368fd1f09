import DHCP
import NetworkTypes
import Testing

/// A bounded, seeded run of what the fuzz target does without bounds.
@Suite struct MutationTests {
    @Test func neverTrapsAndIsStable() {
        var generator = SeededGenerator(state: 1)
        let seed = sampleMessage([
            .messageType(.discover), .vendorClass(VendorClass("PXEClient:Arch:00007:UNDI:003016")),
            .clientArchitectures([7]), .userClass(raw: "iPXE"), .ipxeOptions(.noProxyDHCP),
            .pxeVendorOptions(.bootFileOnly), DHCPOption(.overload, [3]),
            DHCPOption(.relayAgentInformation, [1, 1, 1]),
            MachineUUID(bytes: [UInt8](1...16)).map(DHCPOption.machineUUID) ?? .hostName("x"),
        ]).encode()
        var decodable = 0
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let index =
                    Bool.random(using: &generator)
                    ? Int.random(in: 236..<bytes.count, using: &generator)
                    : Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<40, using: &generator)) }
            if DHCPFuzzing.decode(bytes.span) { decodable += 1 }
        }
        #expect(decodable > 1000)
    }
}
