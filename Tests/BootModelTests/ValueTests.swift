import BootModel
import NetworkTypes
import Testing

@Suite struct ValueTests {
    @Test(arguments: ["debian", "debian@7", "debian:lab"])
    func imageReferencesKeepTheirText(text: String) { #expect(ImageReference(text)?.description == text) }

    @Test(arguments: ["", "debian@", "debian@0", "debian@-1", "../etc", "a b", "debian:", "-x", "x-", "a..b", "é"])
    func malformedImageReferencesAreRefused(text: String) { #expect(ImageReference(text) == nil) }

    @Test func nodeNamesAreHostNames() {
        for text in ["megane", "a", "node-1", "web.lab.example", "4"] { #expect(NodeName(text) != nil, "\(text)") }
        for text in ["lab_1", "a.-b", "a-.b", "a..b", "-a", "a.", "", String(repeating: "a", count: 64)] {
            #expect(NodeName(text) == nil, "\(text)")
        }
        #expect(ImageName("lab_1") != nil)
        let problem = #expect(throws: InvalidName.self) { try NodeName(validating: "lab_1") }
        #expect(problem?.description.hasSuffix("no underscores") == true)
    }

    @Test func kernelArgumentsSurviveTheLoader() {
        for text in ["quiet", "console=ttyS0,115200n8", "dyndbg=\"file drivers/* +p\"", "a=$b", "x=#1", "a||b"] {
            #expect(KernelArgument.problem(with: text) == nil, "\(text)")
        }
        for text in ["", " ", "a b", "a=\"b c", "a\nreboot", "a=${netX/ip}", "#quiet", "\"a || b\"", "&&", "a\u{0}"] {
            #expect(KernelArgument.problem(with: text) != nil, "\(text)")
        }
        let node = Node(
            name: NodeName(unknown: MACAddress(value: 1)),
            macs: [MACAddress(value: 0x5254_0000_0001)],
            settings: Settings(kernelArguments: ["quiet", "a=${b}"])
        )
        let profile = Profile(name: .default, settings: Settings(kernelArguments: ["a\nb"]))
        let problems = Fleet(profiles: [profile], nodes: [node]).problems
        #expect(problems.map(\.key) == ["kernel-arguments", "kernel-arguments"])
        #expect(problems.last?.value == "a=${b}")
    }

    @Test(arguments: [
        ("lab.example", true), ("lab", true), ("a_b.lan", true), ("", false), ("lab.", false), ("a b", false),
        ("a\nb", false), ("é.lan", false), (String(repeating: "a.", count: 126) + "a", true),
        (String(repeating: "a.", count: 127) + "a", false), (String(repeating: "a", count: 64), false),
    ])
    func aDomainIsOneThatEveryClientTakes(domain: String, isGood: Bool) throws {
        var network = Network(
            name: NetworkName(checked: "lab"),
            subnet: try #require(IPv4Subnet("10.0.0.0/24"))
        )
        network.domain = domain
        #expect(Fleet(networks: [network]).problems.map(\.key) == (isGood ? [] : ["domain"]))
    }

    @Test func exportNamesKeepTheirText() {
        let boot = "00112233445566778899aabbccddeeff"
        for text in ["debian@7", "debian@7/megane/\(boot)"] { #expect(ExportName(text)?.description == text) }
        for text in [
            "debian", "debian@7/megane", "debian@7/../\(boot)", "debian@7/megane/xyz", "debian@7/a/b/\(boot)", "",
        ] {
            #expect(ExportName(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1_795_257_000_125_000, "2026-11-21T10:30:00.125Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"), (-1_000_000, "1969-12-31T23:59:59.000Z"),
    ])
    func timestampsReadAsISO8601(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
    }

    @Test(arguments: ["2026-11-21", "2026-13-21T10:30:00Z", "2026-11-21T10:30:00", "2026-11-21T24:30:00Z", "x"])
    func malformedTimestampsAreRefused(text: String) { #expect(Timestamp(text) == nil) }

    @Test func eventsReadAsSentences() {
        let mac = MACAddress(value: 1)
        var event = BootEvent(time: Timestamp(seconds: 0), node: NodeName(unknown: mac), mac: mac, kind: .kernel)
        event.bytes = 14_200_000
        event.seconds = 0.449
        #expect(event.sentence == "sent the kernel, 14.2 MB in 0.45 s")
        event.kind = .init(rawValue: "from-a-later-version")
        #expect(event.sentence == "from-a-later-version")
    }
}
