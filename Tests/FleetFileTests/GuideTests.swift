import BootModel
import Foundation
import NetworkTypes
import Testing

@testable import FleetFile

/// The fleet files of the guides: whoever copies one must find that it applies.
@Suite("Fleet files of the guides")
struct GuideTests {
    private static let guides = ["fleet", "classroom", "hpc-cluster", "raspberry-pi-rack", "kiosk"]

    private func fleet(_ guide: String) throws -> (Fleet, lines: Int) {
        let here = URL(fileURLWithPath: #filePath)
        let file = here.deletingLastPathComponent().appending(path: "../../docs/guides/\(guide).md").standardized
        let text = try String(contentsOf: file, encoding: .utf8)
        let block = try #require(text.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        var fleet = Fleet()
        try FleetDocument(parsing: String(block)).apply(to: &fleet, prune: true)
        return (fleet, block.split(separator: "\n").count)
    }

    @Test(arguments: guides) func applies(_ guide: String) throws {
        let (fleet, lines) = try fleet(guide)
        #expect(lines < 40 && !fleet.nodes.isEmpty && !fleet.networks.isEmpty)
        var again = Fleet()
        try FleetDocument(parsing: fleet.fleetFile(withSecrets: true)).apply(to: &again, prune: true)
        #expect(again == fleet)
    }

    @Test func saysWhatTheTextSays() throws {
        let cluster = try fleet("hpc-cluster").0
        let gpu = try #require(cluster.nodes[NodeName(checked: "g001")])
        let partition = cluster.effectiveSettings(for: gpu).variables[VariableName("partition")!]
        #expect(partition == Sourced(.text("gpu"), from: .profile(ProfileName(checked: "gpu"))))
        let rack = cluster.effectiveSettings(for: gpu, machine: MachineFacts(relayPort: "rack7"))
        #expect(rack.variables[VariableName("rack")!]?.value == .number(7))

        let pis = try fleet("raspberry-pi-rack").0
        let camera = try #require(pis.nodes[NodeName(checked: "camera")])
        #expect(pis.profileChain(of: camera).map(\.name.text) == ["pi", "default"])
        let five = MachineUUID(bytes: Array("RPi5".utf8) + [0x70, 0x41, 0xd0, 0x00] + [UInt8](repeating: 1, count: 8))
        let chain = pis.profileChain(of: camera, machine: MachineFacts(uuid: five))
        #expect(chain.map(\.name.text) == ["pi5", "pi", "default"])

        let kiosks = try fleet("kiosk").0
        for (name, users) in [("entrance", ["show"]), ("cafeteria", ["show"])] {
            let node = try #require(kiosks.nodes[NodeName(checked: name)])
            #expect(kiosks.users(of: kiosks.effectiveSettings(for: node)).map(\.name.text) == users)
        }
        let school = try fleet("classroom").0
        let desk = try #require(school.nodes[NodeName(checked: "desk")])
        #expect(
            school.users(of: school.effectiveSettings(for: desk)).map(\.name.text) == ["pupil", "teach"],
            "teacher inherits room204"
        )
    }
}
