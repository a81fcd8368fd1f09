import ArgumentParser

/// `diskless generate`: configuration for those who keep their own servers.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write configuration for other servers that have the roots: see root.server.",
        subcommands: [GenerateExports.self, GenerateNBDServer.self]
    )
}
