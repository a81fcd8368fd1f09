import AdminAPI
import ArgumentParser
import BootModel
import CLinux
import NodeAgent

/// Gives an order to nodes and shows what comes back.
struct CommandRun {
    let order: CommandOrder
    let isJSON: Bool

    init(_ order: CommandOrder, isJSON: Bool) {
        self.order = order
        self.isJSON = isJSON
    }

    /// Throws `ExitCode` 1 when one of the nodes did not do it.
    func run(on client: AdminClient) throws {
        var hasFailed = false
        var display = CommandDisplay(names: Set(order.nodes).count > 1 ? order.nodes : [])
        try client.command(order) { news in
            if let outcome = news.outcome, outcome.status != 0 { hasFailed = true }
            if isJSON { return try Output.jsonLine(news) }
            if let output = news.output, let bytes = news.bytes { display.show(bytes, output, of: news.node) }
            if let outcome = news.outcome {
                display.end(news.node)
                if let line = Self.line(outcome, order.action) { display.say("\(news.node): \(line)") }
            }
        }
        if hasFailed { throw ExitCode.failure }
    }

    /// What is said of an outcome; nothing of a command that went well.
    private static func line(_ outcome: CommandOutcome, _ action: CommandOrder.Action) -> String? {
        if let problem = outcome.problem { return problem }
        switch action {
        case .reboot: return "starts again"
        case .powerOff: return "switches off"
        case .run: break
        }
        let cut = outcome.isCut ? "there was more output: --output-limit lets more through" : nil
        let status = outcome.status.flatMap { $0 == 0 ? nil : "exit status \($0)" }
        let parts = [status, cut].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}

/// Writes nodes' output: as it comes from one node, in whole lines with the node's name from several.
private struct CommandDisplay {
    private struct Key: Hashable {
        var node: NodeName
        var output: CommandOutput
    }

    /// A line longer than this is broken, so that a node without line ends does not fill the memory.
    private static let lineLimit = 64 << 10

    private let width: Int
    private var begun: [Key: [UInt8]] = [:]

    /// For nodes of these names; without names output goes through as it is.
    init(names: [NodeName]) { width = names.map(\.text.count).max() ?? 0 }

    mutating func show(_ bytes: [UInt8], _ output: CommandOutput, of node: NodeName) {
        guard width > 0 else { return Self.write(bytes, output) }
        let key = Key(node: node, output: output)
        var line = begun[key] ?? []
        for byte in bytes {
            line.append(byte)
            if byte == 0x0a || line.count >= Self.lineLimit {
                write(line, key)
                line = []
            }
        }
        begun[key] = line
    }

    /// Writes what had no line end.
    mutating func end(_ node: NodeName) {
        for output in [CommandOutput.out, .err] {
            let key = Key(node: node, output: output)
            if let line = begun.removeValue(forKey: key), !line.isEmpty { write(line, key) }
        }
    }

    func say(_ line: String) { Self.write(Array((Output.printable(line) + "\n").utf8), .err) }

    private func write(_ line: [UInt8], _ key: Key) {
        let name = key.node.text + String(repeating: " ", count: max(0, width - key.node.text.count)) + "  "
        Self.write(Array(name.utf8) + line + (line.last == 0x0a ? [] : [0x0a]), key.output)
    }

    private static func write(_ bytes: [UInt8], _ output: CommandOutput) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe CLinux.write(output == .out ? STDOUT_FILENO : STDERR_FILENO, $0.baseAddress, $0.count)
            }
            if count > 0 { rest = rest.dropFirst(count) } else if clinux_errno() != EINTR { return }
        }
    }
}
