import AdminAPI
public import ArgumentParser
public import BootModel
import ForeignDHCP
import NetworkTypes

/// `diskless node add NAME`: gives a machine a name.
struct NodeAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Give a machine a name, and settings of its own.",
        discussion: """
            It holds from the machine's next request on; the server need not be restarted. With --from, every machine of a \
            dhcpd.conf, dnsmasq.conf or ethers file is added, or none if one of its lines cannot be used.
            """
    )

    @Argument(help: "The node's name, also its host name.", transform: NodeArgument.name)
    var name: NodeName?
    @Option(help: "A hardware address that it boots from; may be repeated.", transform: Explain.mac)
    var mac: [MACAddress] = []
    @Option(help: "Add the machines of this file instead; '-' is standard input.", completion: .file())
    var from: String?
    @Option(help: "What that file is: \(HostFileFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format: HostFileFormat?
    @Option(help: "The address to reserve for it.", transform: NodeAdd.address)
    var address: IPv4Address?
    @Option(help: "A profile, the strongest first; may be repeated.", transform: NodeAdd.profile)
    var profile: [ProfileName] = []
    @Option(help: "The image it boots: debian, debian@7 or debian:tag.", transform: ImageText.reference)
    var image: ImageReference?
    @Option(help: "Where its writes go: \(RootWrites.allCases.map(\.rawValue).joined(separator: ", ")).")
    var writes: RootWrites?
    @OptionGroup var server: ServerOption

    func validate() throws {
        if from != nil {
            guard name == nil, mac.isEmpty, address == nil, image == nil, writes == nil else {
                throw ValidationError("with --from, only --format and --profile are taken: the file says the rest")
            }
            return
        }
        if format != nil { throw ValidationError("--format is for the file of --from") }
        if name == nil { throw ValidationError("give it a name, or add the machines of a file with --from") }
        if mac.isEmpty { throw ValidationError("give its hardware address: --mac 52:54:00:12:34:56") }
    }

    func run() throws {
        if let from {
            return try NodeImport(file: from, format: format, profiles: profile, client: server.client).run()
        }
        guard let name else { return }
        let draft = NodeDraft(
            name: name,
            macs: mac,
            address: address,
            profiles: profile,
            image: image,
            writes: writes
        )
        let node = try server.client.add(draft)
        Output.line("added node \(node.name)")
    }

    static func address(_ text: String) throws -> IPv4Address {
        guard let address = IPv4Address(text) else {
            throw ValidationError("\"\(text)\" is not an address such as 10.0.0.71")
        }
        return address
    }

    static func profile(_ text: String) throws -> ProfileName {
        do {
            return try ProfileName(validating: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension RootWrites: ExpressibleByArgument {}
