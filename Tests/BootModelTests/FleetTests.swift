import BootModel
import NetworkTypes
import Testing

@Suite struct FleetTests {
    private func node(_ name: String, _ mac: String, _ change: (inout Node) -> Void = { _ in }) throws -> Node {
        var node = Node(name: try NodeName(validating: name), macs: [try #require(MACAddress(mac))])
        change(&node)
        return node
    }

    private func lab() throws -> Network {
        Network(
            name: try NetworkName(validating: "lab"),
            subnet: try #require(IPv4Subnet("10.0.0.0/24")),
            pools: [try #require(IPv4Range("10.0.0.128-10.0.0.254"))]
        )
    }

    @Test func aSoundFleetHasNoProblems() throws {
        let fleet = Fleet(
            networks: [try lab()],
            nodes: [try node("megane", "52:54:00:00:00:01") { $0.address = .init(10, 0, 0, 71) }]
        )
        #expect(fleet.problems == [])
    }

    @Test func contradictionsAreNamed() throws {
        var network = try lab()
        network.pools.append(try #require(IPv4Range("10.0.0.250-10.0.1.3")))
        network.router = IPv4Address(10, 9, 9, 9)
        let fleet = Fleet(
            networks: [network],
            nodes: [
                try node("a", "52:54:00:00:00:01") { $0.address = IPv4Address(10, 0, 0, 71) },
                try node("b", "52:54:00:00:00:01") {
                    $0.address = IPv4Address(10, 0, 0, 71)
                    $0.profiles = [ProfileName(checked: "gone")]
                },
                try node("c", "01:00:5e:00:00:01") {
                    $0.address = IPv4Address(10, 1, 0, 1)
                    $0.settings.via = .ram
                    $0.settings.writes = .cow
                },
            ]
        )
        #expect(
            fleet.problems.map(\.description) == [
                "network lab: pool 10.0.0.250-10.0.1.3 does not lie inside 10.0.0.0/24",
                "network lab: pools 10.0.0.128-10.0.0.254 and 10.0.0.250-10.0.1.3 overlap; join them",
                "network lab: router 10.9.9.9 does not lie inside 10.0.0.0/24",
                "node b: mac 52:54:00:00:00:01 belongs to node a already; remove it from one of them",
                "node b: address 10.0.0.71 belongs to node a already; give another one",
                "node b: profile gone does not exist",
                "node c: 01:00:5e:00:00:01 is a group address, not a machine's",
                "node c: address 10.1.0.1 lies in no network's subnet",
                "node c: root {via: ram, writes: cow} cannot work: the image file itself stays read-only;"
                    + " use writes ram or keep, or via nbd or nfs",
            ]
        )
    }

    @Test func theNodesOwnSettingsWinThenItsProfilesInOrderThenTheDefault() throws {
        let kiosk = ProfileName(checked: "kiosk")
        let lab = ProfileName(checked: "lab")
        let fleet = Fleet(
            profiles: [
                Profile(name: kiosk, settings: Settings(writes: RootWrites.none)),
                Profile(name: lab, settings: Settings(image: ImageReference("debian"), writes: .ram)),
                Profile(name: .default, settings: Settings(image: ImageReference("other"), kernelArguments: ["quiet"])),
            ],
            nodes: []
        )
        let node = try node("megane", "52:54:00:00:00:01") { $0.profiles = [kiosk, lab] }
        let settings = fleet.effectiveSettings(for: node)
        #expect(settings.image == Sourced(try #require(ImageReference("debian")), from: .profile(lab)))
        #expect(settings.writes == Sourced(.none, from: .profile(kiosk)))
        #expect(settings.via == Sourced(.nbd, from: .builtIn))
        #expect(settings.kernelArguments == Sourced(["quiet"], from: .profile(.default)))
    }

    @Test func aMachineIsFoundByItsAddressThenByItsUUID() throws {
        let uuid = try #require(MachineUUID("12345678-9abc-def0-1122-334455667788"))
        let known = try node("megane", "52:54:00:00:00:01") { $0.uuid = uuid }
        var fleet = Fleet(nodes: [known])
        let other = try #require(MACAddress("52:54:00:00:00:99"))
        #expect(fleet.identify(mac: known.macs[0]).node == known)
        #expect(fleet.identify(mac: other, uuid: uuid).node == known)
        #expect(fleet.identify(mac: other).node.name.text == "node-525400000099")
        fleet.remove(known.name)
        #expect(!fleet.identify(mac: known.macs[0], uuid: uuid).isKnown)
    }
}
