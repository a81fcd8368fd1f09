import AdminAPI
import ArgumentParser

/// `diskless files list`: every set.
struct FilesList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sets of overlay files: directories, and those that the program brings."
    )

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let sets = try server.client.fileSets()
        if json.isOn { return try Output.json(sets) }
        let width = sets.map(\.name.count).max() ?? 0
        for set in sets {
            var line = set.name + String(repeating: " ", count: width - set.name.count) + "  " + set.place
            if let summary = set.summary { line += ": \(summary)" }
            if !set.parts.isEmpty { line += " (\(set.parts.joined(separator: ", ")))" }
            Output.line(Output.printable(line))
        }
    }
}
