import AdminAPI
import ArgumentParser
import FleetFile

/// `diskless node set NAME… KEY=VALUE…`: changes settings of nodes.
struct NodeSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change nodes.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .node, needsChange: true, unset: changes.unset) }
    func run() throws { try changes.send(words, .node, mode: .change, to: server.client) }
}
