import AdminAPI
import ArgumentParser
import FleetFile

/// `diskless profile`: settings that nodes share.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Show and change the profiles.",
        subcommands: [
            ProfileList.self, ProfileShow.self, ProfileAdd.self, ProfileSet.self, ProfileRemove.self,
        ]
    )
}

/// `diskless profile list`.
struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the profiles.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let records = try server.client.entries("profile")
        if json.isOn { return try Output.json(records) }
        if records.isEmpty {
            return Output.note("there is no profile yet: 'diskless profile add NAME KEY=VALUE' makes one")
        }
        EntryText.list(
            records,
            [("INHERITS", "inherits"), ("IMAGE", "image"), ("ROOT", "root"), ("SELECTORS", "selectors")]
        )
    }
}

/// `diskless profile show NAME`.
struct ProfileShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a profile says.")

    @Argument(help: "The profile.")
    var name: String
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let record = try server.client.entry("profile", name)
        if json.isOn { return try Output.json(record) }
        EntryText.show(record)
    }
}

/// `diskless profile add NAME KEY=VALUE…`.
struct ProfileAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a profile.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .profile, needsChange: false) }
    func run() throws { try changes.send(words, .profile, mode: .add, to: server.client) }
}

/// `diskless profile set NAME KEY=VALUE…`.
struct ProfileSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change profiles.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .profile, needsChange: true, unset: changes.unset) }
    func run() throws { try changes.send(words, .profile, mode: .change, to: server.client) }
}

/// `diskless profile rm NAME…`.
struct ProfileRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove profiles.",
        discussion: "A profile that a node, a user or another profile names is kept: take it away there first."
    )

    @Argument(help: "The profiles.")
    var names: [String]
    @OptionGroup var server: ServerOption

    func run() throws {
        for name in names {
            try server.client.removeEntry("profile", name)
            Output.line("removed profile \(Output.printable(name))")
        }
    }
}
