import ArgumentParser
import BootModel
import Daemon
import ImageStore

/// `diskless generate nbd-server`: the configuration of nbd-server(1).
struct GenerateNBDServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nbd-server",
        abstract: "Write the configuration of nbd-server(1): every image version, read-only."
    )

    @OptionGroup var server: ServerOption

    func run() throws {
        let store = ImageStore(state: server.state.directory.path)
        Output.text(Self.text(versions: try store.versions(), path: store.path(of:)))
    }

    /// The file's text.
    static func text(versions: [ImageVersion], path: (ImageVersionID) -> String) -> String {
        var text = """
            # nbd-server(5), for nodes whose root.server is this machine.
            [generic]
            port = 10809
            allowlist = true

            """
        for version in versions {
            let root = version.files[.root]?.name ?? version.rootFormat.fileName
            let file = "\(path(version.id))/\(root)".replacing("\\", with: "\\\\")
            // Without virtstyle a percent sign in the path would stand for the client's address.
            text += """

                [\(version.id)]
                exportname = \(file)
                virtstyle = none
                readonly = true
                multifile = false

                """
        }
        return text
    }
}
