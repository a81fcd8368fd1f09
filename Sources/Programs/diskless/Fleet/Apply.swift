import AdminAPI
import ArgumentParser

/// `diskless apply FILE`: makes the fleet what a file says.
struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the fleet what a file says.",
        discussion: """
            The file is YAML as 'diskless export' prints it. What it does not name is left alone, unless --prune is said: \
            then each list of the file is the whole list. All of it is applied, or nothing.
            """
    )

    @Argument(help: "The fleet file; - reads standard input.")
    var file: String
    @Flag(help: "Only show what would change.")
    var dryRun = false
    @Flag(help: "Remove what the file's lists do not name.")
    var prune = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let text = try FleetFileText.read(file)
        let reply: ApplyReply
        do {
            reply = try server.client.apply(text, dryRun: dryRun, prune: prune)
        } catch let problem as AdminProblem {
            let name = file == "-" ? "standard input" : file
            for line in problem.lines(file: name) { Output.note(Output.printable(line)) }
            Output.note("nothing was applied")
            throw ExitCode.failure
        }
        if json.isOn { return try Output.json(reply) }
        for change in reply.changes { Output.line(Output.printable(change.line)) }
        Output.line(Self.summary(reply))
    }

    private static func summary(_ reply: ApplyReply) -> String {
        guard !reply.changes.isEmpty else { return "nothing to change" }
        let words = [("add", "added"), ("change", "changed"), ("remove", "removed")]
        let parts = words.compactMap { action, done -> String? in
            let count = reply.changes.count { $0.action == action }
            return count == 0 ? nil : "\(count) \(reply.applied ? done : "to be \(done)")"
        }
        return parts.joined(separator: ", ") + (reply.applied ? "" : " (dry run)")
    }
}
