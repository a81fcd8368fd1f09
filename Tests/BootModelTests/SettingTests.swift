import Foundation
import NetworkTypes
import Testing

@testable import BootModel

@Suite struct SettingTests {
    private func profile(_ name: String, _ inherits: [String] = [], _ change: (inout Settings) -> Void = { _ in })
        -> Profile
    {
        var profile = Profile(name: ProfileName(checked: name), inherits: inherits.map(ProfileName.init(checked:)))
        change(&profile.settings)
        return profile
    }

    private func order(_ names: [String], _ profiles: [Profile]) -> [String] {
        Fleet(profiles: profiles).profileOrder(names.map(ProfileName.init(checked:))).map(\.text)
    }

    @Test func everySettingHasAPlaceOfItsOwn() {
        let keys = Setting.all.map(\.key)
        #expect(Set(keys).count == keys.count)
        for key in keys { #expect(Setting.named(key)?.key == key) }
        #expect(Setting.outerKeys.count == Set(Setting.outerKeys).count, "settings inside one key stand together")
    }

    @Test func whatReachesARunningNode() {
        let now = Setting.all.filter { $0.effect != .nextBoot }.map { "\($0.key): \($0.effect.rawValue)" }
        #expect(
            now == ["volume: applies now, but makes nothing smaller", "options: applies now", "users: applies now"]
        )
    }

    @Test func aProfileIsAskedBeforeWhatItInheritsAndTheDefaultLast() {
        let diamond = [
            profile("base"), profile("a", ["base"]), profile("b", ["base"]), profile("default"), profile("other"),
        ]
        #expect(order(["a", "b"], diamond) == ["a", "b", "base", "default"])
        #expect(order(["base", "a"], diamond) == ["a", "base", "default"], "what inherits wins over what it inherits")
        #expect(order(["default", "a"], diamond) == ["default", "a", "base"])
        #expect(order([], diamond) == ["default"])
        #expect(order(["gone"], diamond) == ["default"])
        #expect(order([], [profile("default", ["base"]), profile("base")]) == ["default", "base"])
        #expect(order(["x", "y"], [profile("x"), profile("y")]) == ["x", "y"])
    }

    @Test func cyclesAreToldAndCut() {
        let fleet = Fleet(profiles: [
            profile("a", ["b"]), profile("b", ["c"]), profile("c", ["a"]), profile("d", ["a"]), profile("e", ["e"]),
            profile("f", ["kioskk"]), profile("kiosk"),
        ])
        #expect(
            fleet.problems.map(\.description) == [
                "profile a: inherits itself (a -> b -> c -> a); remove one of them",
                "profile b: inherits itself (b -> c -> a -> b); remove one of them",
                "profile c: inherits itself (c -> a -> b -> c); remove one of them",
                "profile e: inherits itself (e -> e); remove one of them",
                "profile f: profile kioskk does not exist; did you mean kiosk?",
            ]
        )
        #expect(fleet.profileOrder([ProfileName(checked: "d")]).map(\.text).first == "d")
    }

    @Test func aLongChainOfProfilesNeitherOverflowsNorPasses() {
        let profiles = (0..<20_000).map { profile("p\($0)", $0 < 19_999 ? ["p\($0 + 1)"] : []) }
        let fleet = Fleet(profiles: profiles)
        #expect(fleet.profileOrder([ProfileName(checked: "p0")]).count == Fleet.inheritanceLimit + 1)
        #expect(
            fleet.inheritanceProblem(of: ProfileName(checked: "p0"))
                == "inherits over more than 64 levels; join some of the profiles"
        )
        #expect(fleet.inheritanceProblem(of: ProfileName(checked: "p19950")) == nil)
    }

    @Test func variablesComeOneByOneListsAsAWhole() throws {
        let fleet = Fleet(profiles: [
            profile("lab", ["base"]) {
                $0.variables = [VariableName("room")!: .text("204"), VariableName("seat")!: .number(0)]
                $0.state = [NodePath("/etc/ssh")!]
            },
            profile("base") {
                $0.variables = [VariableName("room")!: .text("none"), VariableName("kiosk")!: .truth(false)]
                $0.state = [NodePath("/var/lib/puppet")!]
                $0.swap = ByteCount("2G")
            },
        ])
        var node = Node(name: NodeName(checked: "megane"), macs: [MACAddress(value: 2)])
        node.profiles = [ProfileName(checked: "lab")]
        node.settings.variables = [VariableName("seat")!: .number(3)]
        let settings = fleet.effectiveSettings(for: node)
        #expect(settings.state == Sourced([NodePath("/etc/ssh")!], from: .profile(ProfileName(checked: "lab"))))
        #expect(settings.swap?.value.bytes == 2 << 30)
        #expect(
            settings.entries.map { "\($0.key)=\($0.words) from \($0.source)" } == [
                "image=the newest of all from built in", "root.via=nbd from built in",
                "root.writes=ram from built in", "kernel-arguments=none from built in",
                "state=/etc/ssh from profile lab", "files=base from built in",
                "variables.kiosk=false from profile base",
                "variables.room=204 from profile lab", "variables.seat=3 from node", "swap=2G from profile base",
            ]
        )
    }

    @Test func pathsThatCannotBeTwoThingsAreRefused() throws {
        let fleet = Fleet(
            profiles: [
                profile("default") { $0.volatile = [NodePath("/var/log")!] },
                profile("lab") {
                    $0.mounts = [.nfs(NodePath("/srv/home")!, at: NodePath("/home")!)]
                    $0.state = [NodePath("/home/x")!, NodePath("/var/log/journal")!]
                    $0.menuEntries = [.localDisk]
                    $0.menuDefault = .memoryTest
                    $0.files = [OverlaySetName(checked: "base"), OverlaySetName(checked: "base")]
                },
            ]
        )
        #expect(
            fleet.problems.map(\.description) == [
                "profile lab: /home/x cannot be kept: /home is mounted there; remove it from one of the lists",
                "profile lab: /var/log/journal cannot be kept: /var/log is volatile; remove it from one of the lists",
                "profile lab: the default memtest is not one of its entries: local-disk",
                "profile lab: files names base twice; keep one",
            ]
        )
    }

    @Test(
        arguments: [
            ("512M", 512 << 20), ("4G", 4 << 30), ("1536", 1536), ("2GiB", 2 << 30), ("1K", 1024), ("0", nil),
            ("", nil),
            ("G", nil), ("-1", nil), ("9999999T", nil), ("4 G", nil), ("4iB", nil), ("4g", nil), ("٤", nil),
        ] as [(String, Int64?)]
    )
    func sizes(_ text: String, _ bytes: Int64?) {
        #expect(ByteCount(text)?.bytes == bytes)
        if let size = ByteCount(text) { #expect(ByteCount(size.description) == size) }
    }

    @Test(arguments: [
        "/", "", "var", "/var/", "//var", "/var/../etc", "/./x", "/a\nb", "/\(String(repeating: "x", count: 256))",
    ])
    func pathsThatAreNone(_ text: String) { #expect(NodePath(text) == nil) }

    @Test func settingsSurviveJSON() throws {
        var settings = Settings(image: ImageReference("debian:lab"), via: .nbd, writes: .ram, kernelArguments: [])
        settings.variables = [
            VariableName("seat")!: .number(3), VariableName("code")!: .text("3"), VariableName("kiosk")!: .truth(true),
        ]
        settings.mounts = [.tmpfs(at: NodePath("/tmp")!, size: ByteCount("1G"), mode: FileMode("1777"))]
        settings.options = [DHCPOptionSetting(code: 26, content: .number(1400, bytes: 2))]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(settings), as: UTF8.self)
        #expect(
            text
                == #"{"image":"debian:lab","kernel-arguments":[],"mounts":[{"mode":"1777","size":"1G","tmpfs":"/tmp"}],"#
                + #""options":[{"code":26,"u16":1400}],"root.via":"nbd","root.writes":"ram","#
                + #""variables":{"code":"3","kiosk":true,"seat":3}}"#
        )
        #expect(try JSONDecoder().decode(Settings.self, from: Data(text.utf8)) == settings)
    }
}
