import AdminAPI
public import ArgumentParser
public import BootModel
import NetworkTypes

/// `diskless node add NAME`: gives a machine a name.
struct NodeAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Give a machine a name, and settings of its own.",
        discussion: "It holds from the machine's next request on; the server need not be restarted."
    )

    @Argument(help: "The node's name, also its host name.", transform: NodeArgument.name)
    var name: NodeName
    @Option(help: "A hardware address that it boots from; may be repeated.", transform: Explain.mac)
    var mac: [MACAddress]
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
        if mac.isEmpty { throw ValidationError("give its hardware address: --mac 52:54:00:12:34:56") }
    }

    func run() throws {
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

    private static func address(_ text: String) throws -> IPv4Address {
        guard let address = IPv4Address(text) else {
            throw ValidationError("\"\(text)\" is not an address such as 10.0.0.71")
        }
        return address
    }

    private static func profile(_ text: String) throws -> ProfileName {
        do {
            return try ProfileName(validating: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension RootWrites: ExpressibleByArgument {}
