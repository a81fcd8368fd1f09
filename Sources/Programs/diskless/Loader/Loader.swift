import ArgumentParser

/// `diskless loader`: the programs that firmware starts.
struct Loader: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loader",
        abstract: "List the loaders that machines can be given, and fetch those for another processor.",
        discussion: """
            Loaders come from the distribution's packages, or are made of what they bring; files of your own in the state \
            directory's loaders folder win. Which one a machine gets is its setting 'loader'.
            """,
        subcommands: [LoaderList.self, LoaderFetch.self]
    )
}
