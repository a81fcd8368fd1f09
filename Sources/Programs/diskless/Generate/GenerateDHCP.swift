import AdminAPI
import ArgumentParser
import BootModel
import FleetFile
import ForeignDHCP
import NetworkIO
import NetworkTypes

/// `diskless generate dhcpd`.
struct GenerateDHCPD: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dhcpd", abstract: "For ISC dhcpd 4.")
    @OptionGroup var options: GenerateOptions
    func run() throws { try options.print(.dhcpd) }
}

/// `diskless generate kea`.
struct GenerateKea: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kea", abstract: "For Kea's kea-dhcp4, 2.2 or later.")
    @OptionGroup var options: GenerateOptions
    func run() throws { try options.print(.kea) }
}

/// `diskless generate dnsmasq`.
struct GenerateDnsmasq: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dnsmasq", abstract: "For dnsmasq.")
    @OptionGroup var options: GenerateOptions
    func run() throws { try options.print(.dnsmasq) }
}

/// What the three have in common.
struct GenerateOptions: ParsableArguments {
    @Option(help: "Only this network; may be repeated.", transform: GenerateOptions.network)
    var network: [NetworkName] = []
    @Option(help: "This server's address, where it is not one of an interface here.", transform: NodeAdd.address)
    var address: IPv4Address?
    @Option(help: "The port of this server's boot HTTP.")
    var httpPort: UInt16 = 8067
    @OptionGroup var server: ServerOption

    func print(_ program: DHCPConfiguration.Program) throws {
        let fleet = try server.client.fleet()
        let interfaces = try NetworkInterface.all()
        for name in network where fleet.networks[name] == nil {
            throw AdminProblem("there is no network \(name): see 'diskless export'")
        }
        let chosen = fleet.networks.values.filter { network.isEmpty || network.contains($0.name) }
        guard !chosen.isEmpty else {
            throw AdminProblem(
                "no network is known: name one with 'diskless apply', or give 'diskless serve --interface'"
            )
        }
        let places = try chosen.map { network in
            let near =
                interfaces.first { $0.name == network.interface }
                ?? interfaces.first {
                    network.subnet.contains($0.address)
                }
            guard let reached = address ?? near?.address else {
                throw AdminProblem(
                    "this computer has no address on network \(network.name) (\(network.subnet)): name the one that its"
                        + " machines reach with --address"
                )
            }
            return DHCPConfiguration.Place(
                network: network,
                interface: network.interface ?? near?.name,
                server: ServerAddresses(address: reached, httpPort: httpPort)
            )
        }
        Output.text(DHCPConfiguration(places: places, fleet: fleet).text(for: program))
    }

    private static func network(_ text: String) throws -> NetworkName {
        do { return try NetworkName(validating: text) } catch { throw ValidationError(error.description) }
    }
}
