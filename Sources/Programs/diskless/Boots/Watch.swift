import AdminAPI
import ArgumentParser
import BootModel

/// `diskless watch [NODE]`: what happens, as it happens.
struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what nodes do, as they do it.",
        discussion: "One line an event: time, node, what. Ctrl-C ends it."
    )

    @Argument(help: "Only this node.", transform: NodeArgument.name)
    var node: NodeName?
    @Flag(help: "Print each event as one line of JSON.")
    var json = false
    @OptionGroup var server: ServerOption

    func run() throws {
        var width = 0
        try server.client.watch(node: node) { event in
            if json {
                try Output.jsonLine(event)
            } else {
                // Columns grow with the names that are seen, so that no line waits for the next.
                width = max(width, event.node.text.count)
                let name = event.node.text + String(repeating: " ", count: width - event.node.text.count)
                Output.line(Output.printable("\(LocalTime.clock(event.time))  \(name)  \(event.text)"))
            }
            return true
        }
    }
}
