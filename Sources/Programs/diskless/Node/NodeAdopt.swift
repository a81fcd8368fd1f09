import AdminAPI
import ArgumentParser
import BootModel
import NetworkTypes

/// `diskless node adopt MAC [NAME]`: gives a name to a machine that has asked how to boot.
struct NodeAdopt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Give a name to a machine that has asked how to boot.",
        discussion:
            "'diskless node list --unknown' shows them. 'diskless node add' takes machines that have not asked yet."
    )

    @Argument(help: "Its hardware address.", transform: Explain.mac)
    var mac: MACAddress
    @Argument(help: "The node's name; without one it is made of what the machine is.", transform: NodeArgument.name)
    var name: NodeName?
    @Option(help: "The address to reserve for it.", transform: NodeAdd.address)
    var address: IPv4Address?
    @Option(help: "A profile, the strongest first; may be repeated.", transform: NodeAdd.profile)
    var profile: [ProfileName] = []
    @Option(help: "The image it boots: debian, debian@7 or debian:tag.", transform: ImageText.reference)
    var image: ImageReference?
    @OptionGroup var server: ServerOption

    func run() throws {
        let machines = try server.client.unknownMachines()
        guard let machine = machines.first(where: { $0.mac == mac }) else {
            throw AdminProblem(
                "no machine without a name has asked from \(mac): see 'diskless node list --unknown',"
                    + " or add it with 'diskless node add NAME --mac \(mac)'"
            )
        }
        let draft = NodeDraft(
            name: try name ?? Self.name(for: machine),
            macs: [mac],
            address: address,
            profiles: profile,
            image: image
        )
        let node = try server.client.add(draft)
        Output.line("added node \(node.name): \(machine.kind)")
    }

    /// `rpi-12345678` by a board's serial number, else the name that the machine has had so far.
    private static func name(for machine: UnknownMachineRecord) throws -> NodeName {
        if let serial = machine.board?.serial { return try NodeName(validating: "rpi-\(serial)") }
        return NodeName(unknown: machine.mac)
    }
}
