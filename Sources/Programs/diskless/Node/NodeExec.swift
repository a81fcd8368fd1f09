import AdminAPI
import ArgumentParser
import BootModel
import NodeAgent

/// `diskless node exec NODE… -- CMD`: runs a command on running nodes.
struct NodeExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command on running nodes.",
        discussion: """
            One word after -- is for the node's shell, several are a program and its arguments: \
            diskless node exec megane -- 'ps aux | wc -l'. It runs as root, without input. Output comes as it is put out, \
            with the node's name before each line when there are several nodes. Ends with 1 when the command failed on \
            one of them.
            """
    )

    @Argument(help: ArgumentHelp("The nodes, then -- and the command.", valueName: "node"))
    var words: [String]
    @Option(help: ArgumentHelp("After how many seconds the command is ended.", valueName: "seconds"))
    var timeout = 60
    @Option(help: ArgumentHelp("How many bytes of each output come back from a node.", valueName: "bytes"))
    var outputLimit = 1 << 20
    @Flag(help: "Print what comes back as one line of JSON each.")
    var json = false
    @OptionGroup var server: ServerOption

    /// How many of the words stand after `--`: the parser takes no two lists side by side.
    private static var commandLength: Int {
        let all = CommandLine.arguments
        return all.firstIndex(of: "--").map { all.count - $0 - 1 } ?? 0
    }

    private func order() throws -> CommandOrder {
        let count = min(Self.commandLength, words.count)
        return CommandOrder(
            nodes: try words.dropLast(count).map(NodeArgument.name),
            action: .run,
            command: Array(words.suffix(count)),
            seconds: timeout,
            outputLimit: outputLimit
        )
    }

    func validate() throws {
        if let problem = try order().problem { throw ValidationError(problem) }
    }

    func run() throws { try CommandRun(try order(), isJSON: json).run(on: server.client) }
}

/// `diskless node reboot NODE…`: starts running nodes again.
struct NodeReboot: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reboot", abstract: "Start running nodes again.")

    @Argument(help: "The nodes.", transform: NodeArgument.name)
    var nodes: [NodeName]
    @Flag(help: "Print what comes back as one line of JSON each.")
    var json = false
    @OptionGroup var server: ServerOption

    func run() throws {
        try CommandRun(CommandOrder(nodes: nodes, action: .reboot), isJSON: json).run(on: server.client)
    }
}

/// `diskless node poweroff NODE…`: switches running nodes off.
struct NodePowerOff: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "poweroff", abstract: "Switch running nodes off.")

    @Argument(help: "The nodes.", transform: NodeArgument.name)
    var nodes: [NodeName]
    @Flag(help: "Print what comes back as one line of JSON each.")
    var json = false
    @OptionGroup var server: ServerOption

    func run() throws {
        try CommandRun(CommandOrder(nodes: nodes, action: .powerOff), isJSON: json).run(on: server.client)
    }
}
