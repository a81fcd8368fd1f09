import AdminAPI
import ArgumentParser
import BootModel
import Daemon
import ImageStore

/// `diskless image rm IMAGE@N`: removes versions.
struct ImageRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove versions of an image.",
        discussion: """
            A version that a running node uses is kept, unless --force is said; while no server runs, one that a node's \
            last boot was given. Of several versions all are removed or none. Numbers are never used again.
            """
    )

    @Argument(help: "The versions: debian@7.", transform: ImageRemove.version)
    var versions: [ImageVersionID]
    @Flag(help: "Remove it although nodes run it; they keep what they have opened until they let go of it.")
    var force = false
    @OptionGroup var state: StateOption

    func run() throws {
        let store = ImageStore(state: state.path)
        // Either all go or none: what stands in the way of one is said before anything is gone.
        let chosen = versions.reduce(into: [ImageVersionID]()) { if !$0.contains($1) { $0.append($1) } }
        for version in chosen {
            try refuseTagged(version)
            try store.checkRemoval(of: version, force: force, users: users(of:))
        }
        for version in chosen {
            try store.remove(version, force: force, users: users(of:))
            print("\(version) is removed")
        }
    }

    private func users(of version: ImageVersionID) throws -> [String] {
        try ImageUsers.nodes(using: version, state: state.path)
    }

    /// A tag must not name a version that is gone.
    private func refuseTagged(_ version: ImageVersionID) throws {
        let names: [String]
        do {
            let client = AdminClient(socketPath: state.directory.adminSocket)
            names = try client.entries("tag").filter { record in
                record.words("version") == String(version.number) && record.name.hasPrefix("\(version.name):")
            }.map(\.name)
        } catch AdminClientError.notRunning {
            names = try WaitingNodes.tags(of: version, state: state.directory).map(\.description)
        }
        if let name = names.first {
            throw ValidationError(
                "\(version) has the tag \(name): move it with 'diskless image tag', or remove it with"
                    + " 'diskless image tag --rm \(name)'"
            )
        }
    }

    private static func version(_ text: String) throws -> ImageVersionID {
        switch try ImageText.reference(text) {
        case .version(let version): return version
        case let other:
            throw ValidationError("say which version, such as \(other.name)@1: \"\(text)\" names several or a tag")
        }
    }
}
