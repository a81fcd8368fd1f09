import BootModel
import NetworkTypes
import Registry
import Testing

@Suite struct UnknownMachineStoreTests {
    @Test func theyOutliveTheServer() throws {
        let directory = try TemporaryDirectory()
        let mac = try #require(MACAddress("52:54:00:12:34:56"))
        let full = UnknownMachine(
            mac: mac,
            vendorClass: "PXEClient:Arch:00007:UNDI:003016",
            architecture: .x64EFI,
            uuid: MachineUUID("4c4c4544-0031-3010-8052-b4c04f4a3432"),
            firstSeen: Timestamp(seconds: 1),
            lastSeen: Timestamp(microseconds: 2_500_000),
            requests: 7
        )
        let bare = UnknownMachine(
            mac: try #require(MACAddress("52:54:00:12:34:57")),
            firstSeen: Timestamp(seconds: 3),
            lastSeen: Timestamp(seconds: 3)
        )
        do {
            let registry = try Registry(stateDirectory: directory.path)
            try registry.keep(unknownMachines: [bare])
            try registry.keep(unknownMachines: [full, bare])
        }
        let kept = try Registry(stateDirectory: directory.path).unknownMachines()
        #expect(Set(kept) == [full, bare])
    }
}
