public import BootModel

/// What nodes shall do now.
public struct CommandOrder: Hashable, Sendable, Codable {
    /// What to do.
    public enum Action: String, Hashable, Sendable, Codable {
        /// Run a command.
        case run
        /// Start again.
        case reboot
        /// Switch off.
        case powerOff = "poweroff"
    }

    /// On which nodes.
    public var nodes: [NodeName]
    /// What to do.
    public var action: Action
    /// The command to run: one word is for the node's shell, several are a program and its arguments as they are.
    public var command: [String]
    /// After how many seconds the command is ended.
    public var seconds: Int
    /// How many bytes of each of its two outputs come back.
    public var outputLimit: Int

    /// The longest that a command may run, in seconds.
    public static let secondsLimit = 86_400
    /// The most of an output that comes back, in bytes.
    public static let largestOutput = 64 << 20
    /// The longest command in bytes.
    public static let commandLimit = 64 << 10

    /// An order from its parts.
    public init(
        nodes: [NodeName],
        action: Action,
        command: [String] = [],
        seconds: Int = 60,
        outputLimit: Int = 1 << 20
    ) {
        self.nodes = nodes
        self.action = action
        self.command = command
        self.seconds = seconds
        self.outputLimit = outputLimit
    }

    /// Why it cannot be carried out anywhere, in one line; nil when it can.
    public var problem: String? {
        if nodes.isEmpty { return "no node is named" }
        guard action == .run else { return nil }
        if command.isEmpty || command.allSatisfy(\.isEmpty) { return "there is no command: put it after --" }
        if command.contains(where: { $0.unicodeScalars.contains("\0") }) {
            return "a command cannot contain a zero byte"
        }
        if script.utf8.count > Self.commandLimit {
            return "the command has \(script.utf8.count) bytes, \(Self.commandLimit) is the most: put it into a file"
        }
        if !(1...Self.secondsLimit).contains(seconds) { return "a command may run 1 to \(Self.secondsLimit) seconds" }
        if !(0...Self.largestOutput).contains(outputLimit) {
            return "of an output 0 to \(Self.largestOutput) bytes may come back"
        }
        return nil
    }

    /// The command as text for `sh`.
    public var script: String {
        guard command.count > 1 else { return (command.first ?? "") + "\n" }
        return command.map {
            "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        .joined(separator: " ") + "\n"
    }
}

/// One of a command's two outputs.
public enum CommandOutput: String, Hashable, Sendable, Codable {
    /// Standard output.
    case out
    /// Standard error.
    case err
}

/// How a command ended on a node.
public struct CommandOutcome: Hashable, Sendable, Codable {
    /// Its exit status; nil when it did not run to an end.
    public var status: Int?
    /// Why it did not, in one line.
    public var problem: String?
    /// Whether more was put out than came back.
    public var isCut: Bool

    /// An outcome from its parts.
    public init(status: Int? = nil, problem: String? = nil, isCut: Bool = false) {
        self.status = status
        self.problem = problem
        self.isCut = isCut
    }
}

/// What comes back from the nodes of an order; the last one of each node is its outcome.
public struct CommandNews: Hashable, Sendable, Codable {
    /// Which node.
    public var node: NodeName
    /// Which output `bytes` are of.
    public var output: CommandOutput?
    /// A piece of output.
    public var bytes: [UInt8]?
    /// How it ended.
    public var outcome: CommandOutcome?

    /// A piece of output.
    public init(_ node: NodeName, _ output: CommandOutput, _ bytes: [UInt8]) {
        self.node = node
        self.output = output
        self.bytes = bytes
    }

    /// The end.
    public init(_ node: NodeName, _ outcome: CommandOutcome) {
        self.node = node
        self.outcome = outcome
    }
}
