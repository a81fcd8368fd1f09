import AdminAPI
import ArgumentParser
import BootModel
import Daemon

/// `diskless node state [NAME]`: what the server keeps for nodes.
struct NodeState: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Show what the server keeps for a node, or for all, with sizes.",
        discussion: """
            What is kept for a node that the fleet does not know any more is marked as forgotten: drop it with \
            'diskless node reset NAME --all'.
            """
    )

    @Argument(help: "The node; all without it.", transform: NodeArgument.name)
    var name: NodeName?
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let replies = try name.map { [try server.client.storage(of: $0)] } ?? server.client.storage()
        if json.isOn { return try Output.json(replies) }
        let rows = replies.flatMap { reply in
            reply.parts.map { part in
                let state = reply.isConnected ? "running" : reply.isKnown ? "off" : "forgotten"
                let kind = part.name.map { "\(part.kind) \($0)" } ?? part.kind
                return [reply.node.text, kind, Self.bytes(part.used), part.size.map(Self.bytes) ?? "-", state]
            }
        }
        Output.table(["NODE", "WHAT", "USED", "SIZE", "NODE IS"], rows)
    }

    /// A size for people, in powers of 1024.
    static func bytes(_ count: Int64) -> String {
        var (value, unit) = (Double(count), "B")
        for next in ["K", "M", "G", "T"] where value >= 1024 { (value, unit) = (value / 1024, next) }
        let tenths = Int64((value * 10).rounded())
        return unit == "B" || tenths >= 1000 ? "\((tenths + 5) / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
    }
}

/// `diskless node reset NAME`: drops what the server keeps for a node.
struct NodeReset: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Drop what the server keeps for a node, so that its next boot begins anew.",
        discussion:
            "The node must be off. Snapshots stay. Here --state is what to drop; --state-directory names the server's."
    )

    @Argument(help: "The node.", transform: NodeArgument.name)
    var name: NodeName
    @Flag(help: "What its state: paths hold.")
    var state = false
    @Flag(help: "Its root: the kept layer, the volume, private layers and swap.")
    var root = false
    @Flag(help: "Both.")
    var all = false
    // As every command has it, but by its long name alone.
    @Option(help: ArgumentHelp("The state directory.", valueName: "dir"))
    var stateDirectory: String = StateDirectory.defaultPath

    func validate() throws {
        guard state || root || all else { throw ValidationError("say what to drop: --state, --root or --all") }
    }

    func run() throws {
        let what: StorageReset = all || (state && root) ? .all : state ? .state : .root
        try AdminClient(socketPath: StateDirectory(stateDirectory).adminSocket).reset(name, what)
        Output.line("node \(name) begins anew: \(what == .all ? "state and root" : what.rawValue)")
    }
}

/// `diskless node snapshot NAME LABEL`: copies a node's state, root and volume aside.
struct NodeSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Copy what the server keeps for a node aside, under a label.",
        discussion: "The node must be off. Where the file system can, the copy takes no room until something changes."
    )

    @Argument(help: "The node.", transform: NodeArgument.name)
    var name: NodeName
    @Argument(help: "The label: letters, digits, dashes and dots.")
    var label: String
    @Flag(help: "Drop the snapshot of that label instead.")
    var drop = false
    @OptionGroup var server: ServerOption

    func run() throws {
        if drop {
            try server.client.dropSnapshot(name, label: label)
        } else {
            try server.client.snapshot(name, label: label)
        }
        Output.line("\(drop ? "dropped" : "kept") snapshot \(label) of node \(name)")
    }
}

/// `diskless node restore NAME LABEL`: puts a snapshot back in place.
struct NodeRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a snapshot of a node back in place of what the server keeps for it now.",
        discussion: "The node must be off."
    )

    @Argument(help: "The node.", transform: NodeArgument.name)
    var name: NodeName
    @Argument(help: "The snapshot's label.")
    var label: String
    @OptionGroup var server: ServerOption

    func run() throws {
        try server.client.restore(name, label: label)
        Output.line("node \(name) is as in snapshot \(label)")
    }
}
