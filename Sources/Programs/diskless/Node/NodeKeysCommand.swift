import AdminAPI
import ArgumentParser
import BootModel

/// `diskless node keys NAME`: the public keys of a node's ssh server.
struct NodeKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show the public ssh host keys of a node, made now if it has none yet."
    )

    @Argument(help: "The node.", transform: { try NodeName(validating: $0) })
    var name: NodeName
    @Flag(help: "As lines of a known_hosts file (default).")
    var knownHosts = false
    @Flag(help: "As SSHFP records of a zone.")
    var sshfp = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let keys = try server.client.keys(of: name)
        if json.isOn { return try Output.json(keys) }
        var lines: [String] = []
        if knownHosts || !sshfp { lines += keys.knownHosts }
        if sshfp { lines += keys.sshfp }
        lines.map(Output.printable).forEach(Output.line)
    }
}
