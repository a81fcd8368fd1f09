import AdminAPI
import ArgumentParser
import FleetFile

/// `diskless user`: those who may log in to nodes.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Show and change the users.",
        subcommands: [
            UserList.self, UserShow.self, UserAdd.self, UserSet.self, UserRemove.self, UserImport.self,
        ]
    )
}

/// `diskless user list`.
struct UserList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the users.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let records = try server.client.entries("user")
        if json.isOn { return try Output.json(records) }
        if records.isEmpty { return Output.note("there is no user yet: 'diskless user add NAME --password' makes one") }
        EntryText.list(
            records,
            [
                ("UID", "uid"), ("FULL NAME", "full-name"), ("GROUPS", "groups"), ("PROFILES", "profiles"),
                ("PASSWORD", "password"),
            ]
        )
    }
}

/// `diskless user show NAME`.
struct UserShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a user says.")

    @Argument(help: "The user.")
    var name: String
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let record = try server.client.entry("user", name)
        if json.isOn { return try Output.json(record) }
        EntryText.show(record)
    }
}

/// `diskless user rm NAME…`.
struct UserRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove users.",
        discussion: "Their files stay where they are."
    )

    @Argument(help: "The users.")
    var names: [String]
    @OptionGroup var server: ServerOption

    func run() throws {
        for name in names {
            try server.client.removeEntry("user", name)
            Output.line("removed user \(Output.printable(name))")
        }
    }
}
