import AdminAPI
import ArgumentParser
import BootModel
import NetworkTypes

/// `diskless explain MAC`: what a machine would get, and why.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a machine would get, and why, without sending a packet."
    )

    @Argument(help: "The hardware address.", transform: Explain.mac)
    var mac: MACAddress
    @Option(
        help: ArgumentHelp("The machine's architecture.", discussion: Explain.architectures, valueName: "arch"),
        transform: Explain.architecture
    )
    var arch: ClientArchitecture?
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let explanation = try server.client.explain(mac, architecture: arch)
        if json.isOn { try Output.json(explanation) } else { Self.lines(explanation).forEach(Output.line) }
        if !explanation.boots { throw ExitCode.failure }
    }

    /// The explanation as lines.
    static func lines(_ explanation: Explanation) -> [String] {
        var lines = ["node      \(explanation.node)" + (explanation.isKnown ? "" : " (nobody has named this machine)")]
        if let network = explanation.network {
            let address = explanation.address.map(\.description) ?? "chosen when it asks"
            lines.append("network   \(network), address \(address)")
        }
        if !explanation.profiles.isEmpty { lines.append("profiles  \(explanation.profiles.joined(separator: ", "))") }
        lines.append("settings")
        let width = explanation.settings.map(\.key.count).max() ?? 0
        for setting in explanation.settings {
            let key = setting.key + String(repeating: " ", count: width - setting.key.count)
            lines.append("  \(key)  \(setting.value)  (\(setting.source))")
        }
        for step in explanation.steps {
            lines.append("\(step.asks) asks")
            if let refusal = step.refusal { lines.append("  gets nothing: \(refusal)") }
            if let file = step.bootFile { lines.append("  gets \(file)") }
            lines += step.reasons.map { "  because \($0)" }
        }
        if let image = explanation.image { lines.append("image     \(image)") }
        if let root = explanation.root { lines.append("root      \(root)") }
        if !explanation.kernelArguments.isEmpty {
            lines.append("kernel    \(explanation.kernelArguments.joined(separator: " "))")
        }
        return lines.map(Output.printable)
    }

    static func mac(_ text: String) throws -> MACAddress {
        guard let mac = MACAddress(text) else {
            throw ValidationError("\"\(text)\" is not a MAC address such as 52:54:00:12:34:56")
        }
        return mac
    }

    private static func architecture(_ text: String) throws -> ClientArchitecture {
        guard let architecture = ClientArchitecture(text) else {
            throw ValidationError("\"\(text)\" is not an architecture; \(architectures)")
        }
        return architecture
    }

    private static var architectures: String {
        "One of \(ClientArchitecture.known.map(\.name).joined(separator: ", ")), or a number of option 93; bios when left out."
    }
}
