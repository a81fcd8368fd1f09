import BootModel
import BootModelConformance
import NetworkTypes
import Testing

@testable import FleetFile

/// The fleet file of the guide, with every key that a fleet file can have.
private let complete = """
    # the lab
    networks:
      - name: lab
        interface: eth1
        subnet: 10.0.0.0/24
        dhcp: full            # full | proxy | off
        pools: [10.0.0.128-10.0.0.254]
        router: 10.0.0.1
        nameservers: [10.0.0.1]
        domain: lab.example
        lease: 2h
        unknown-nodes: address-only
    profiles:
      - name: default
        image: debian
        root: {via: nbd, writes: ram}
        kernel-arguments: [quiet, "console=ttyS0,115200"]
    nodes:
      - name: megane
        mac: [52:54:00:12:34:56, 52-54-00-12-34-57]
        uuid: 4c4c4544-0042-3510-8054-b4c04f4d3232
        address: 10.0.0.71
        profiles: [default]
      - name: "no"
        mac: 525400123458
        root: {writes: cow}
        kernel-arguments: []
    """

@Suite("Fleet files")
struct FleetDocumentTests {
    private func apply(_ text: String, to fleet: Fleet = Fleet(), prune: Bool = false) throws -> (Fleet, [FleetChange])
    {
        var fleet = fleet
        let changes = try FleetDocument(parsing: text).apply(to: &fleet, prune: prune)
        return (fleet, changes)
    }

    @Test("every key is read")
    func everyKey() throws {
        let (fleet, changes) = try apply(complete)
        let lab = try #require(fleet.networks[NetworkName(checked: "lab")])
        #expect(lab.interface == "eth1" && lab.dhcp == .full && lab.leaseSeconds == 7200)
        #expect(lab.pools.map(\.description) == ["10.0.0.128-10.0.0.254"])
        #expect(lab.unknownNodes == .addressOnly && lab.domain == "lab.example")
        let megane = try #require(fleet.node(mac: MACAddress(value: 0x5254_0012_3457)))
        #expect(megane.name.text == "megane" && megane.address == IPv4Address(10, 0, 0, 71))
        let unquoted = try #require(fleet.nodes[NodeName(checked: "no")])
        #expect(unquoted.settings == Settings(writes: .cow, kernelArguments: []))
        #expect(
            changes.map { "\($0.action.rawValue) \($0.kind) \($0.name)" } == [
                "+ network lab", "+ profile default", "+ node megane", "+ node no",
            ]
        )
    }

    @Test("export, then apply, is the same fleet")
    func roundTrip() throws {
        for fleet in [try apply(complete).0, try Sample.fleet(nodes: 20), Fleet()] {
            let (again, changes) = try apply(fleet.fleetFile, prune: true)
            #expect(again == fleet)
            #expect(try apply(fleet.fleetFile, to: fleet, prune: true).1.isEmpty)
            #expect(changes.count == fleet.networks.count + fleet.profiles.count + fleet.nodes.count)
            #expect(again.fleetFile == fleet.fleetFile)
        }
    }

    @Test(
        "any text survives",
        arguments: [
            "", " ", "a b", "'", "\"", "\\", "#x", "a: b", "- a", "*a", "&a", "!a", "null", "~", "yes", "1e3", "0x10",
            "a\nb", "\t", "\u{7f}", "é", "𝄞", "\u{2028}", "[", "{a}", ",", "%", "@a", "`", "|", ">", "=", "1:20", "a:",
            "root=/dev/nfs", "ip=10.0.0.1::::host::off",
        ]
    )
    func scalars(_ text: String) throws {
        var network = try Sample.network()
        network.interface = text
        var profile = Sample.profile()
        profile.settings.kernelArguments = [text, "x"].filter { KernelArgument.problem(with: $0) == nil }
        let fleet = Fleet(networks: [network], profiles: [profile])
        #expect(try apply(fleet.fleetFile).0 == fleet, "\(fleet.fleetFile)")
    }

    @Test("a difference is one line of what changes")
    func difference() throws {
        let (fleet, _) = try apply(complete)
        let text = """
            nodes:
              - name: megane
                mac: [52:54:00:12:34:56, 52:54:00:12:34:57]
                uuid: 4c4c4544-0042-3510-8054-b4c04f4d3232
                address: 10.0.0.72
                profiles: [default]
                image: debian@7
              - {name: new, mac: 52:54:00:00:00:01}
            """
        #expect(
            try apply(text, to: fleet).1.map(\.line) == [
                "~ node megane  address: 10.0.0.71 -> 10.0.0.72, image: not set -> debian@7 (next boot)",
                "+ node new  mac: [\"52:54:00:00:00:01\"]",
            ]
        )
        let (pruned, changes) = try apply(text, to: fleet, prune: true)
        #expect(changes.last?.line == "- node no")
        #expect(pruned.nodes.count == 2)
        #expect(pruned.networks.count == 1, "a list that the file does not have is left alone")
        #expect(try apply("nodes: []", to: fleet, prune: true).0.nodes.isEmpty)
    }

    @Test("addresses can be exchanged within one file")
    func exchange() throws {
        let (fleet, _) = try apply("nodes: [{name: a, mac: 525400000001}, {name: b, mac: 525400000002}]")
        let (after, _) = try apply("nodes: [{name: a, mac: 525400000002}, {name: b, mac: 525400000001}]", to: fleet)
        #expect(after.node(mac: MACAddress(value: 0x5254_0000_0001))?.name.text == "b")
        #expect(after.node(mac: MACAddress(value: 0x5254_0000_0002))?.name.text == "a")
    }

    @Test("10,000 nodes are read and applied", .timeLimit(.minutes(5)))
    func large() throws {
        let text = try Sample.fleet(nodes: 10_000).fleetFile
        let clock = ContinuousClock()
        var result = Fleet()
        let time = try clock.measure { result = try apply(text, prune: true).0 }
        print("fleet file of 10,000 nodes (\(text.utf8.count / 1000) kB) read and applied in \(time)")
        #expect(result.nodes.count == 10_000)
    }
}
