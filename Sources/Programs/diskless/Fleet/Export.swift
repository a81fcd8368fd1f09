import AdminAPI
import ArgumentParser

/// `diskless export`: the fleet as a file.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the fleet as a file that 'diskless apply' takes.",
        discussion: """
            Applying it with --prune makes exactly this fleet. The hashes of passwords are left out unless --secrets is \
            said; a user whose entry has no password keeps the one they have.
            """
    )

    @Flag(help: "With the hashes of passwords.")
    var secrets = false
    @OptionGroup var server: ServerOption

    func run() throws { Output.text(try server.client.fleetFile(withSecrets: secrets)) }
}
