import AdminAPI
import ArgumentParser
import BootModel
import FleetFile
import ImageStore

/// `diskless image tag debian@7 lab`: gives a version a name that can be moved.
struct ImageTagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Name a version of an image: nodes with 'image: debian:lab' boot the version that has the tag.",
        discussion: """
            A tag that is there is moved; nodes boot what it names from their next boot on. Without arguments the tags \
            are listed; 'diskless image tag --rm debian:lab' removes one.
            """
    )

    @Argument(help: "The version: debian@7.", transform: ImageText.reference)
    var version: ImageReference?
    @Argument(help: "The tag: lab.")
    var tag: String?
    @Option(name: .customLong("rm"), help: ArgumentHelp("Remove a tag.", valueName: "image:tag"))
    var removed: String?
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func validate() throws {
        if removed != nil, version != nil {
            throw ValidationError("say either a version and its tag, or --rm IMAGE:TAG")
        }
        if let removed, BootModel.ImageTag.Name(removed) == nil {
            throw ValidationError("\"\(removed)\" is not \(BootModel.ImageTag.Name.form)")
        }
        guard let version else { return }
        guard let tag else { throw ValidationError("say the tag too: diskless image tag debian@7 lab") }
        if BootModel.ImageTag.Name(version.name, tag) == nil {
            throw ValidationError("\"\(tag)\" is not a tag: use letters, digits, dots and dashes")
        }
        if case .tag = version { throw ValidationError("say the version, such as \(version.name)@7") }
    }

    func run() throws {
        if let removed {
            try server.client.removeEntry("tag", removed)
            return Output.line("removed tag \(removed)")
        }
        guard let version, let tag else {
            let tags = try server.client.entries("tag")
            if json.isOn { return try Output.json(tags) }
            if tags.isEmpty {
                return Output.note("no version has a tag yet: 'diskless image tag debian@7 lab' gives one")
            }
            return EntryText.list(tags, [("VERSION", "version")])
        }
        // Looked up here, so that a tag never names a version that is not there.
        let id = try ImageStore(state: server.state.path).manifest(for: version).version.id
        let edit = EntryEdit(
            names: ["\(id.name):\(tag)"],
            changes: [EntryEdit.Change(key: "version", operation: "=", value: String(id.number))],
            mode: FleetEditMode.either.rawValue
        )
        _ = try server.client.edit("tag", edit)
        Output.line("\(id.name):\(tag) is \(id)")
    }
}
