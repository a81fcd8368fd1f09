import ArgumentParser
import BootModel
import FileSystems
import ImageBuilder
import ImageStore

/// `diskless image build NAME`: makes the next version of an image.
struct ImageBuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build the next version of an image.",
        discussion: """
            Takes root, mmdebstrap and squashfs-tools. Without --mirror the packages come from where this machine has its \
            own, when it runs Debian, else from deb.debian.org.
            """
    )

    @Argument(help: "The image's name.", transform: { try ImageName(validating: $0) })
    var name: ImageName

    @Option(help: "What to build from.")
    var recipe = "debian"
    @Option(help: "Debian's release.")
    var suite = "bookworm"
    @Option(help: ArgumentHelp("Where to get packages.", valueName: "url"))
    var mirror: String?
    @Option(help: "The nodes' processor: amd64, arm64 or armhf.")
    var arch = "amd64"
    @Option(help: "mmdebstrap's variant: how many packages come along unasked.")
    var variant = "minbase"
    @Option(name: .customLong("package"), help: ArgumentHelp("A further package; repeatable.", valueName: "name"))
    var packages: [String] = []
    @Option(help: ArgumentHelp("A script to run inside the system, once its packages are there.", valueName: "file"))
    var script: String?
    @Option(help: ArgumentHelp("root's password; without one nobody can log in by it.", valueName: "password"))
    var rootPassword: String?
    @Option(
        name: .customLong("ssh-key"),
        help: ArgumentHelp("A file of public keys that may log in as root; repeatable.", valueName: "file")
    )
    var sshKeys: [String] = []
    @Option(help: "generic for real machines, cloud for virtual ones.", transform: word)
    var kernel = DebianRecipe.Kernel.generic
    @Option(help: "squashfs, or ext4 for nodes whose root is written to.", transform: word)
    var format = RootFormat.squashfs
    @Option(help: ArgumentHelp("The size of an ext4 root, such as 4G.", valueName: "size"), transform: ByteSize.parse)
    var size: Int64?
    @Option(help: "The language, such as de_DE.UTF-8.")
    var locale: String?
    @Option(
        name: .customLong("kernel-argument"),
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("An argument of every boot of the image; repeatable.", valueName: "argument")
    )
    var kernelArguments: [String] = []
    @OptionGroup var state: StateOption

    func run() throws {
        guard recipe == "debian" else { throw ValidationError("--recipe \(recipe): the recipe is debian") }
        let store = ImageStore(state: state.path)
        let interruption = try Interruption()
        let display = BuildDisplay()
        let started = display.now
        let manifest: ImageManifest
        do {
            manifest = try interruption.whileCatchingSignals {
                let builder = ImageBuilder(
                    store: store,
                    state: state.path,
                    initramfs: try NodeInitramfs(),
                    interruption: interruption,
                    progress: display.show
                )
                return try builder.build(name, try debian(), command: commandLine)
            }
            display.finish()
        } catch {
            display.finish()
            switch error {
            case BuildError.usage(let line): throw ValidationError(line)
            case BuildError.interrupted(let signal):
                display.note("\(error)")
                throw ExitCode(128 + signal)
            default: throw error
            }
        }
        let files = manifest.allFiles.filter { $0.name != "packages.txt" }
        let sizes = files.map { "\($0.name) \(FileSystemRoom.text($0.size))" }.joined(separator: ", ")
        print("\(manifest.version.id) is built in \(BuildDisplay.seconds(display.now - started)): \(sizes)")
    }

    private func debian() throws -> DebianRecipe {
        var recipe = DebianRecipe()
        recipe.suite = suite
        recipe.mirror = mirror
        recipe.architecture = arch
        recipe.variant = variant
        recipe.packages = packages.flatMap { $0.split(separator: ",").map(String.init) }
        recipe.script = try script.map(readableScript)
        recipe.rootPassword = rootPassword
        recipe.sshKeys = try sshKeys.flatMap(keys)
        recipe.kernel = kernel
        recipe.rootFormat = format
        recipe.rootSize = size
        recipe.locale = locale
        recipe.kernelArguments = kernelArguments
        return recipe
    }

    private func readableScript(_ path: String) throws -> String {
        let text = try TextFile.read(path, option: "--script")
        guard text.hasPrefix("#!") else {
            throw ValidationError("--script \(path): its first line must name an interpreter, such as #!/bin/sh")
        }
        return path
    }

    private func keys(_ path: String) throws -> [String] {
        let lines = try TextFile.read(path, option: "--ssh-key").split(whereSeparator: \.isNewline)
        let keys = lines.filter { !$0.hasPrefix("#") && $0.contains { $0 != " " } }.map(String.init)
        guard !keys.isEmpty, !keys.contains(where: { $0.contains("PRIVATE KEY") }) else {
            throw ValidationError("--ssh-key \(path): no public key in it; give the file that ends in .pub")
        }
        return keys
    }

    /// The command line for the manifest, without the password.
    private var commandLine: [String] {
        var words: [String] = []
        for word in CommandLine.arguments {
            if words.last == "--root-password" {
                words.append("***")
            } else {
                words.append(word.hasPrefix("--root-password=") ? "--root-password=***" : word)
            }
        }
        return words
    }
}

/// A word of a fixed list, as options have it.
private func word<Value: RawRepresentable & CaseIterable>(_ text: String) throws -> Value
where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
        throw ValidationError("\"\(text)\": use one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
}
