import AdminAPI
import ArgumentParser

/// `diskless files show SET [PATH]`: a set as it lies there.
struct FilesShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the files of a set, or one of them, templates as they are written."
    )

    @Argument(help: "The set.")
    var set: String
    @Argument(help: "The path of one file, as the list shows it.")
    var path: String?
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let files = try server.client.fileSet(set)
        guard let path else {
            if json.isOn { return try Output.json(files) }
            FileText.list(files).forEach(Output.line)
            return
        }
        let file = try FileText.file(path, in: files, of: "set \(set)")
        if json.isOn { return try Output.json(file) }
        FileText.content(file).forEach(Output.line)
    }
}
