/// The command lines of the tools that make a Debian image, as pure functions of the recipe.
enum DebianCommands {
    /// Places of one build.
    struct Places {
        /// The tree that is made.
        var tree: String
        /// apt's sources, a deb822 file.
        var sources: String
        /// Programs that mmdebstrap calls with the tree as their argument: before anything, and after everything.
        var setupHook: String
        var customizeHook: String
    }

    /// mmdebstrap's arguments.
    ///
    /// - Parameter transport: lines of apt's configuration that say how to reach the archive.
    static func mmdebstrap(_ recipe: DebianRecipe, _ places: Places, transport: [String]) -> [String] {
        var arguments = [
            "--mode=root",
            "--format=directory",
            "--variant=\(recipe.variant)",
            "--architectures=\(recipe.architecture)",
            "--include=\(recipe.includedPackages.joined(separator: ","))",
            // Packages that were fetched for an earlier image are put in place by the setup hook and kept by the other.
            "--skip=download/empty,essential/unlink",
            "--setup-hook=\(places.setupHook)",
            "--customize-hook=\(places.customizeHook)",
            "--aptopt=Acquire::Languages \"none\"",
        ]
        arguments += transport.map { "--aptopt=" + ($0.hasSuffix(";") ? String($0.dropLast()) : $0) }
        arguments += excludedPaths.map { "--dpkgopt=path-exclude=\($0)" }
        arguments += includedPaths.map { "--dpkgopt=path-include=\($0)" }
        return arguments + [recipe.suite, places.tree, places.sources]
    }

    /// What nobody reads on a node; a licence's text stays with its package.
    static let excludedPaths = ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/doc/*", "/usr/share/locale/*"]
    static let includedPaths = ["/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias"]

    /// mksquashfs's arguments: the same tree at the same time gives the same bytes.
    ///
    /// zstd at 9: at 15, its default, a root is 5 % smaller and takes nine times as long.
    static func mksquashfs(tree: String, output: String, time: Int64, processors: Int) -> [String] {
        [
            tree, output, "-noappend", "-no-progress", "-comp", "zstd", "-Xcompression-level", "9", "-b", "128K",
            "-processors", "\(processors)", "-mkfs-time", "\(time)", "-all-time", "\(time)",
        ]
    }

    /// mkfs.ext4's arguments for a file that already has its size.
    ///
    /// Nothing is left for the node's kernel to initialise: every block it would write costs a copy on the server.
    static func mkfsExt4(tree: String, output: String) -> [String] {
        [
            "-q", "-F", "-L", "root", "-m", "1", "-d", tree, "-E",
            "lazy_itable_init=0,lazy_journal_init=0,assume_storage_prezeroed=1", output,
        ]
    }

    /// The size of an ext4 file for content of so many bytes: a quarter more and 256 MiB for what the node writes, rounded
    /// up to 1 MiB.
    static func ext4Size(content: Int64) -> Int64 {
        let wanted = content + content / 4 + (256 << 20)
        let unit: Int64 = 1 << 20
        return (wanted + unit - 1) / unit * unit
    }
}
