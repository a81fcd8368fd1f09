import AdminAPI
import ArgumentParser
import BootModel
import Daemon
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
            nodes with root.server look for them; what the setting mounts names is exported under its own path.
            """
    )

    @Option(help: ArgumentHelp("Who may mount: an address, subnet or host name of exports(5).", valueName: "clients"))
    var clients: String?
    @OptionGroup var server: ServerOption

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
        let who = clients.map { [$0] } ?? (subnets.isEmpty ? ["*"] : subnets)
        var lines = ["# exports(5) of the kernel's NFS server, for nodes whose root.server is this machine."]
        func export(_ directory: String, _ options: String) {
            let quoted = directory.contains(" ") ? "\"\(directory)\"" : directory
            lines.append(([quoted] + who.map { "\($0)(\(options))" }).joined(separator: " "))
        }
        for (number, version) in versions.enumerated() {
            let root = version.files[.root]?.name ?? version.rootFormat.fileName
            let tree = "/images/\(version.id)"
            lines += [
                "", "# \(version.id): first mkdir -p \(tree) /files/\(version.id)",
                "#   mount -o loop,ro \(path(version.id))/\(root) \(tree)",
                "#   mount --bind \(path(version.id)) /files/\(version.id)",
            ]
            // An image's own file system has no number that lasts: each needs one.
            export(tree, "ro,no_root_squash,no_subtree_check,fsid=\(1000 + number)")
            export("/files/\(version.id)", "ro,root_squash,no_subtree_check,fsid=\(5000 + number)")
        }
        var shared: [String: Bool] = [:]
        for node in fleet.nodes.values {
            for case .nfs(let directory, _, let mode, _, _) in fleet.effectiveSettings(for: node).mounts.value {
                shared[directory.text] = (shared[directory.text] ?? false) || mode == .readWrite
            }
        }
        if !shared.isEmpty { lines += ["", "# mounts"] }
        for (directory, isWritable) in shared.sorted(by: { $0.key < $1.key }) {
            export(directory, "\(isWritable ? "rw" : "ro"),root_squash,no_subtree_check")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
