import BootModel
import NetworkTypes
import Testing

@Suite struct SelectorTests {
    private func profile(_ name: String, _ selectors: [(inout ProfileSelector) -> Void] = []) -> Profile {
        var profile = Profile(name: ProfileName(checked: name))
        profile.selectors = selectors.map { change in
            var selector = ProfileSelector()
            change(&selector)
            return selector
        }
        profile.settings.kernelArguments = [name]
        return profile
    }

    private let node = Node(name: NodeName(checked: "pi"), macs: [MACAddress(value: 0xb827_eb00_0001)])

    private func chain(_ fleet: Fleet, _ machine: MachineFacts? = nil, _ node: Node? = nil) -> [String] {
        fleet.profileChain(of: node ?? self.node, machine: machine).map(\.words)
    }

    @Test func theMoreConditionsHoldTheEarlierThenByName() throws {
        let fleet = Fleet(profiles: [
            profile("default"), profile("a"),
            profile("maker", [{ $0.mac = MACPrefix("b8:27:eb") }]),
            profile("another", [{ $0.mac = MACPrefix("b8") }]),
            profile(
                "port",
                [
                    {
                        $0.mac = MACPrefix("b8:27"); $0.relayPort = "Gi0/3"
                    }, { $0.relayPort = "Gi0/4" },
                ]
            ),
            profile("efi", [{ $0.architecture = .arm64EFI }]),
            profile("vendor", [{ $0.vendorClass = "PXEClient:Arch:00011" }]),
        ])
        #expect(
            chain(fleet) == [
                "another (applies itself: mac b8)", "maker (applies itself: mac b8:27:eb)", "default",
            ]
        )
        let told = MachineFacts(
            architecture: .arm64HTTP,
            vendorClass: "PXEClient:Arch:00011:UNDI:003000",
            relayPort: "Gi0/3"
        )
        #expect(
            chain(fleet, told) == [
                "port (applies itself: mac b8:27, relay-port Gi0/3)", "another (applies itself: mac b8)",
                "efi (applies itself: architecture arm64-efi)", "maker (applies itself: mac b8:27:eb)",
                "vendor (applies itself: vendor-class PXEClient:Arch:00011)", "default",
            ]
        )
        #expect(fleet.effectiveSettings(for: node, machine: told).kernelArguments.value == ["port"])
        var named = node
        named.profiles = [ProfileName(checked: "a"), ProfileName(checked: "maker")]
        #expect(chain(fleet, nil, named) == ["a", "maker", "another (applies itself: mac b8)", "default"])
        let other = Node(name: NodeName(checked: "pc"), macs: [MACAddress(value: 0x5254_0000_0001)])
        #expect(chain(fleet, nil, other) == ["default"])
    }

    /// The UUID is made up after Raspberry Pi's documentation of option 97, not captured.
    @Test func theModelOfARaspberryPiComesFromItsUUID() throws {
        let bytes: [UInt8] = Array("RPi4".utf8) + [0x11, 0x31, 0xc0, 0x00, 0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef]
        let uuid = try #require(MachineUUID(bytes: bytes))
        #expect(MachineFacts(mac: node.macs[0], uuid: uuid).raspberryPi == RaspberryPiModel("4b"))
        #expect(RaspberryPiModel("4B")?.description == "4B" && RaspberryPiModel("0x77")?.description == "0x77")
        let fleet = Fleet(profiles: [profile("four", [{ $0.raspberryPi = RaspberryPiModel("4B") }])])
        #expect(chain(fleet, MachineFacts(uuid: uuid)) == ["four (applies itself: raspberry-pi 4B)"])
        #expect(chain(fleet, MachineFacts(uuid: MachineUUID(bytes: [UInt8](repeating: 9, count: 16)))) == [])
    }

    @Test func usersLogInWhereTheyAreNamedOrTheirProfilesAre() {
        let lab = ProfileName(checked: "lab")
        func user(_ name: String, _ uid: UInt32, _ profiles: [ProfileName] = []) -> User {
            User(name: UserName(checked: name), uid: uid, profiles: profiles)
        }
        var kiosk = Profile(name: ProfileName(checked: "kiosk"))
        kiosk.settings.users = [UserName(checked: "show")]
        let fleet = Fleet(
            profiles: [Profile(name: lab), kiosk],
            users: [user("anna", 1001, [lab]), user("everybody", 1002), user("show", 1003, [kiosk.name])]
        )
        func names(_ profiles: [ProfileName]) -> [String] {
            var node = node
            node.profiles = profiles
            return fleet.users(of: fleet.effectiveSettings(for: node)).map(\.name.text)
        }
        #expect(names([]) == ["everybody"])
        #expect(names([lab]) == ["anna", "everybody"])
        #expect(names([kiosk.name]) == ["show"])
        #expect(names([lab, kiosk.name]) == ["anna", "show"])
    }

    @Test(arguments: [
        ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", true),
        ("$6$rounds=5000$saltsalt$" + String(repeating: "a", count: 86), true), ("secret", false), ("", false),
        ("$1$salt$qJH7.N4xYta3aEG/dfqo/0", false), ("$y$a:b$" + String(repeating: "a", count: 40), false),
        ("$y$a\n" + String(repeating: "a", count: 40), false), ("!", false),
    ])
    func hashes(_ text: String, _ isOne: Bool) {
        #expect((PasswordHash(text) != nil) == isOne)
        if let hash = PasswordHash(text) {
            var shown = ""
            dump(hash, to: &shown)
            #expect(!"\(hash) \(String(reflecting: hash)) \(shown)".contains(text))
        }
    }
}
