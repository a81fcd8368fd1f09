import AdminAPI
import ArgumentParser

/// `diskless export`: the fleet as a file.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the fleet as a file that 'diskless apply' takes.",
        discussion: "Applying it with --prune makes exactly this fleet."
    )

    @OptionGroup var server: ServerOption

    func run() throws { Output.text(try server.client.fleetFile()) }
}
