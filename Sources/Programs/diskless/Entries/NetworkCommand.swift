import AdminAPI
import ArgumentParser
import FleetFile

/// `diskless network`: the subnets that are served.
struct NetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network",
        abstract: "Show and change the networks.",
        subcommands: [
            NetworkList.self, NetworkShow.self, NetworkAdd.self, NetworkSet.self, NetworkRemove.self,
        ]
    )
}

/// `diskless network list`.
struct NetworkList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the networks.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let records = try server.client.entries("network")
        if json.isOn { return try Output.json(records) }
        if records.isEmpty {
            return Output.note(
                "there is no network yet: 'diskless network add NAME subnet=10.0.0.0/24 interface=eth1' makes one"
            )
        }
        EntryText.list(
            records,
            [("SUBNET", "subnet"), ("INTERFACE", "interface"), ("DHCP", "dhcp"), ("POOLS", "pools")]
        )
    }
}

/// `diskless network show NAME`.
struct NetworkShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a network says.")

    @Argument(help: "The network.")
    var name: String
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let record = try server.client.entry("network", name)
        if json.isOn { return try Output.json(record) }
        EntryText.show(record)
    }
}

/// `diskless network add NAME KEY=VALUE…`.
struct NetworkAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a network.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .network, needsChange: false) }
    func run() throws { try changes.send(words, .network, mode: .add, to: server.client) }
}

/// `diskless network set NAME KEY=VALUE…`.
struct NetworkSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change networks.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .network, needsChange: true, unset: changes.unset) }
    func run() throws { try changes.send(words, .network, mode: .change, to: server.client) }
}

/// `diskless network rm NAME…`.
struct NetworkRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove networks.",
        discussion: "The server stops answering on it at once."
    )

    @Argument(help: "The networks.")
    var names: [String]
    @OptionGroup var server: ServerOption

    func run() throws {
        for name in names {
            try server.client.removeEntry("network", name)
            Output.line("removed network \(Output.printable(name))")
        }
    }
}
