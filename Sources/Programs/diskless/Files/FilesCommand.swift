import ArgumentParser

/// `diskless files`: sets of overlay files, and what nodes get of them.
struct FilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files",
        abstract: "Sets of overlay files, and what is laid over a node's root.",
        subcommands: [FilesList.self, FilesShow.self, FilesRender.self]
    )
}
