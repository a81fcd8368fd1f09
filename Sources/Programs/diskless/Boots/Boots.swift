import AdminAPI
import ArgumentParser
import BootModel

/// `diskless boots [NODE]`: past boots as timelines.
struct Boots: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show past boots, each as a timeline.",
        discussion: "The newest boot comes last, where a terminal shows it."
    )

    @Argument(help: "Only this node.", transform: NodeArgument.name)
    var node: NodeName?
    @Option(name: .shortAndLong, help: "How many of the newest boots.")
    var number = 5
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func validate() throws {
        guard (1...1000).contains(number) else { throw ValidationError("--number is 1 to 1000") }
    }

    func run() throws {
        let boots = try server.client.boots(of: node, limit: number)
        if json.isOn { return try Output.json(boots) }
        if boots.isEmpty { return Output.note("no node has booted yet") }
        for (index, boot) in boots.reversed().enumerated() {
            if index > 0 { Output.line("") }
            BootTimeline.lines(boot).forEach(Output.line)
        }
    }
}
