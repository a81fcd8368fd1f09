import AdminAPI
import ArgumentParser
import BootModel
import Daemon
import Digests
import FleetFile
import ImageStore
import NetworkTypes

/// `diskless generate exports`: exports(5) for the kernel's NFS server.
struct GenerateExports: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exports",
        abstract: "Write exports(5) for the kernel's NFS server, and the mounts that it needs.",
        discussion: """
            Image versions are exported as trees under /images/NAME@VERSION and as files under /files/NAME@VERSION, as \
            nodes with root.server look for them; what the setting mounts takes from another server is exported under its own \
            path. What this server itself has is not: nodes mount that from it.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Who may mount: addresses, subnets or host names of exports(5), with commas between.",
            valueName: "clients"
        )
    )
    var clients: String?
    @OptionGroup var server: ServerOption

    func validate() throws {
        guard let clients else { return }
        let names = Self.names(clients)
        guard !names.isEmpty, names.allSatisfy({ $0.allSatisfy { $0.isASCII && !"()\"'#\\".contains($0) } }) else {
            throw ValidationError("--clients \"\(clients)\" is not a list such as 10.0.0.0/24,lab.example")
        }
    }

    func run() throws {
        let store = ImageStore(state: server.state.directory.path)
        let fleet = try FleetDocument(parsing: server.client.fleetFile())
        Output.text(try Self.text(versions: store.versions(), path: store.path(of:), fleet: fleet, clients: clients))
    }

    /// The file's text.
    static func text(
        versions: [ImageVersion],
        path: (ImageVersionID) -> String,
        fleet document: FleetDocument,
        clients: String?
    ) throws -> String {
        var fleet = Fleet()
        _ = try document.apply(to: &fleet, prune: false)
        let subnets = fleet.networks.values.map(\.subnet.description).sorted()
        let who = clients.map(names) ?? (subnets.isEmpty ? ["*"] : subnets)
        var lines = [
            "# exports(5) of the kernel's NFS server, for nodes whose root.server is this machine. What stands behind \"#   \"",
            "# is to be run there at each start, before the server.",
        ]
        func export(_ directory: String, _ options: String) {
            lines.append(([escaped(directory)] + who.map { "\($0)(\(options))" }).joined(separator: " "))
        }
        for version in versions {
            let (tree, files) = ("/images/\(version.id)", "/files/\(version.id)")
            let folder = path(version.id)
            let root = version.files[.root]?.name ?? version.rootFormat.fileName
            lines += [
                "", "# \(version.id)", "#   mkdir -p \(tree) \(files)",
                "#   mount -o loop,ro \(quoted("\(folder)/\(root)")) \(tree)",
                "#   mount --bind \(quoted(folder)) \(files)",
            ]
            // Before they are mounted the empty directories below are nobody's root: mp.
            export(tree, "ro,no_root_squash,no_subtree_check,mp,fsid=\(try identity(of: tree))")
            export(files, "ro,root_squash,no_subtree_check,mp,fsid=\(try identity(of: files))")
        }
        for (server, directories) in shared(fleet).sorted(by: { $0.key < $1.key }) {
            lines += ["", "# mounts whose server is \(server)"]
            for (directory, isWritable) in directories.sorted(by: { $0.key < $1.key }) {
                export(directory, "\(isWritable ? "rw" : "ro"),root_squash,no_subtree_check")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The directories that nodes mount from other servers, and whether one of them writes there.
    private static func shared(_ fleet: Fleet) -> [IPv4Address: [String: Bool]] {
        var shared: [IPv4Address: [String: Bool]] = [:]
        // Profiles too: they may apply themselves to machines that have no entry.
        let mounts =
            fleet.nodes.values.flatMap { fleet.effectiveSettings(for: $0).mounts.value }
            + fleet.profiles.values.flatMap { $0.settings.mounts ?? [] }
        for case .nfs(let directory, _, let mode, let server?, _) in mounts {
            shared[server, default: [:]][directory.text, default: false] =
                mode == .readWrite || shared[server]?[directory.text] == true
        }
        return shared
    }

    /// The number of an export in file handles, as a UUID.
    ///
    /// An image's own file system has none that lasts. It comes from the name: versions that come and go must not give
    /// the handles of running nodes another meaning.
    private static func identity(of export: String) throws -> String {
        let digits = try SHA256Digest.of(Array("diskless:\(export)".utf8).span).hex
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    private static func names(_ clients: String) -> [String] {
        clients.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// A path as exports(5) has it: what has a meaning there is written in octal digits.
    private static func escaped(_ path: String) -> String {
        path.map { character in
            guard let byte = character.asciiValue, byte <= 0x20 || "\"'#()\\".contains(character) else {
                return "\(character)"
            }
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }

    /// A path as a word of the shell.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "/._-@+:,".utf8.contains(byte)
        }
        return isPlain ? path : "'\(path.replacing("'", with: "'\\''"))'"
    }
}
