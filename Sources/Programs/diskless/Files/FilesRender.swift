import AdminAPI
import ArgumentParser
import BootModel

/// `diskless files render NODE [PATH]`: what a node would get now, and what is different from its last boot.
struct FilesRender: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Show what would be laid over a node's root now, and how it differs from the node's last boot."
    )

    @Argument(help: "The node.", transform: { try NodeName(validating: $0) })
    var node: NodeName
    @Argument(help: "The path of one file, such as /etc/hosts.")
    var path: String?
    @Flag(help: "Show only what is different from the last boot.")
    var diff = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let rendered = try server.client.files(of: node)
        if json.isOn { return try Output.json(rendered) }
        let changes = FileText.changes(from: rendered.last, to: rendered.files)
        if let path {
            let wanted = path.hasPrefix("/") ? String(path.dropFirst()) : path
            if !diff, let file = rendered.files.first(where: { $0.path == wanted }) {
                FileText.content(file).forEach(Output.line)
            } else if rendered.last?.contains(where: { $0.path == wanted }) != true {
                _ = try FileText.file(path, in: rendered.files, of: "node \(node)")
            }
            let own = changes.filter { $0.path == wanted }
            if !own.isEmpty { Output.line("") }
            own.flatMap(FileText.difference).forEach(Output.line)
            return
        }
        if !diff { FileText.list(rendered.files).forEach(Output.line) }
        if rendered.last == nil {
            Output.line("\(node) has not booted with these files yet")
        } else if changes.isEmpty {
            Output.line("nothing is different from the last boot")
        } else {
            Output.line("different from the last boot:")
            changes.flatMap(FileText.difference).forEach(Output.line)
        }
    }
}
