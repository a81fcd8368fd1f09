import AdminAPI
import ArgumentParser
import BootModel

/// `diskless node rm NAME…`: forgets nodes.
struct NodeRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Forget nodes.",
        discussion: "A machine that runs goes on; at its next boot it is one that nobody has named."
    )

    @Argument(help: "The nodes.", transform: NodeArgument.name)
    var names: [NodeName]
    @OptionGroup var server: ServerOption

    func run() throws {
        for name in names {
            try server.client.remove(name)
            Output.line("removed node \(name)")
        }
    }
}
