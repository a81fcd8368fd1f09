import AdminAPI
import ArgumentParser
import BootModel
import FleetFile

/// `KEY=VALUE…` and `--unset KEY`, as every command that changes an entry has them.
struct EntryChanges: ParsableArguments {
    @Option(help: ArgumentHelp("A key to unset; may be repeated.", valueName: "key"))
    var unset: [String] = []
    @Flag(help: "Only show what would change.")
    var dryRun = false

    /// The words with an equals sign as changes, the others as names.
    static func split(_ words: [String]) -> (names: [String], changes: [EntryEdit.Change]) {
        var names: [String] = []
        var changes: [EntryEdit.Change] = []
        for word in words {
            if let change = FleetKeyChange(word) {
                changes.append(.init(key: change.key, operation: change.operation.rawValue, value: change.value))
            } else {
                names.append(word)
            }
        }
        return (names, changes)
    }

    /// Sends an edit and prints the differences.
    func send(
        _ words: [String],
        _ kind: FleetKind,
        mode: FleetEditMode,
        also: [EntryEdit.Change] = [],
        to client: AdminClient
    ) throws {
        let (names, changes) = Self.split(words)
        let all = changes + also + unset.map { EntryEdit.Change(key: $0, operation: "", value: "") }
        let edit = EntryEdit(names: names, changes: all, mode: mode.rawValue, isDry: dryRun)
        Self.print(try client.edit(kind.rawValue, edit))
    }

    /// The differences, one a line.
    static func print(_ reply: ApplyReply) {
        for change in reply.changes { Output.line(Output.printable(change.line)) }
        if reply.changes.isEmpty { Output.line("nothing to change") }
        if !reply.applied, !reply.changes.isEmpty { Output.line("(dry run)") }
    }

    /// Refuses words that name nothing, or change nothing.
    static func check(_ words: [String], _ kind: FleetKind, needsChange: Bool, unset: [String] = []) throws {
        let (names, changes) = split(words)
        guard !names.isEmpty else { throw ValidationError("say which \(kind.rawValue)") }
        if needsChange, changes.isEmpty, unset.isEmpty {
            throw ValidationError("say what changes: KEY=VALUE, KEY+=VALUE, KEY-=VALUE or --unset KEY")
        }
    }
}

/// What every command on entries says of its words.
enum EntryHelp {
    static let words: ArgumentHelp = "Names, and KEY=VALUE, KEY+=VALUE or KEY-=VALUE with the keys of the fleet file."
    static let discussion = """
        Keys and values are those of the fleet file (see 'diskless export'): image=debian:lab, root.writes=cow, \
        variables.seat=3, state+=/etc/ssh, 'mounts=[{tmpfs: /tmp}]'. All of it is changed, or nothing.
        """
}

/// An entry as lines.
enum EntryText {
    static func show(_ record: EntryRecord) {
        var rows = [["name", record.name]]
        if case .keys(let pairs) = record.says { rows += pairs.map { [$0.key, $0.value.words] } }
        Output.table(["KEY", "VALUE"], rows)
    }

    static func list(_ records: [EntryRecord], _ columns: [(heading: String, key: String)]) {
        let rows = records.map { record in [record.name] + columns.map { record.words($0.key) ?? "" } }
        Output.table(["NAME"] + columns.map(\.heading), rows)
    }
}
