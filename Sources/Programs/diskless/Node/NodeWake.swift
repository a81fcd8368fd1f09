import AdminAPI
import ArgumentParser
import BootModel
import FleetFile
import NetworkIO
import NetworkTypes
import WakeOnLAN

/// `diskless node wake NAME…`: powers machines on over the network.
struct NodeWake: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wake",
        abstract: "Power machines on over the network (Wake-on-LAN).",
        discussion: "The machine's firmware must allow it. Nothing comes back: 'diskless watch' shows whether it boots."
    )

    @Argument(help: "The nodes.", transform: NodeArgument.name)
    var names: [NodeName]
    @Option(help: "The cards' SecureOn password: 01:02:03:04:05:06 or 192.168.1.2.", transform: NodeWake.password)
    var password: [UInt8]?
    @OptionGroup var server: ServerOption

    func run() throws {
        // All are looked up before the first packet leaves: a misspelt name wakes nobody.
        let nodes = try names.map { try server.client.node($0) }
        let fleet = try server.client.fleet()
        let interfaces = try NetworkInterface.all().filter { $0.address.value >> 24 != 127 }
        for node in nodes {
            let places = Self.places(for: node.node.address, fleet: fleet, among: interfaces)
            guard !places.isEmpty else {
                throw AdminProblem("no interface of this computer is on a network of diskless: wake it from there")
            }
            for place in places {
                let socket = try UDPSocket(
                    bind: Endpoint(place.address, 0),
                    interface: place.name,
                    broadcast: true,
                    receiveBufferBytes: 4096
                )
                for mac in node.node.macs {
                    let packet = MagicPacket(mac, password: password).bytes
                    try socket.send(packet.span, to: Endpoint(place.subnet.broadcast, MagicPacket.port))
                }
            }
            let macs = node.node.macs.map(\.description).joined(separator: ", ")
            let names = places.map { "\($0.subnet) (\($0.name))" }.joined(separator: ", ")
            Output.line("woke node \(node.node.name): \(macs) on \(names)")
        }
    }

    /// Where the machine may be: on the network of its address, else on every network that is served.
    private static func places(
        for address: IPv4Address?,
        fleet: Fleet,
        among interfaces: [NetworkInterface]
    ) -> [NetworkInterface] {
        if let address {
            let near = interfaces.filter { $0.subnet.contains(address) }
            if !near.isEmpty { return near }
        }
        let served = interfaces.filter { interface in
            fleet.networks.values.contains {
                $0.interface == interface.name || $0.interface == nil && $0.subnet.contains(interface.address)
            }
        }
        return served
    }

    private static func password(_ text: String) throws -> [UInt8] {
        guard let password = MagicPacket.password(text) else {
            throw ValidationError("\"\(text)\" is not a SecureOn password such as 01:02:03:04:05:06 or 192.168.1.2")
        }
        return password
    }
}
