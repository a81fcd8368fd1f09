import ArgumentParser
import Daemon

/// `diskless loader list`: what is there.
struct LoaderList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the loaders that are installed or can be made here."
    )

    @OptionGroup var json: JSONFlag
    @OptionGroup var state: StateOption

    func run() throws {
        let directory = state.directory
        let files = LoaderFiles(own: directory.loaders, cache: directory.madeLoaders)
        let names = files.available.sorted()
        if json.isOn { try Output.json(names) } else { names.forEach(Output.line) }
        for line in files.complaints() { Output.note("Warning: \(line)") }
    }
}
