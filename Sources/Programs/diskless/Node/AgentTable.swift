import BootModel
import NodeAgent

/// How a running node is, as rows of `node show`.
enum AgentTable {
    static func rows(_ condition: NodeCondition) -> [[String]] {
        var rows = [["seen", LocalTime.full(condition.seen), "agent"]]
        if let image = condition.image { rows.append(["runs", image.description, "agent"]) }
        if let load = condition.load { rows.append(["load", String(load), "agent"]) }
        if let uptime = condition.uptime { rows.append(["running for", "\(uptime) s", "agent"]) }
        rows += usage("root used", condition.rootUsed, of: condition.root)
        if let size = condition.memory, let available = condition.memoryAvailable {
            rows += usage("memory used", size - min(available, size), of: size)
        }
        if let kernel = condition.kernel { rows.append(["kernel", kernel, "agent"]) }
        return rows
    }

    /// The same as columns of `node list`.
    static let headings = ["SEEN", "RUNS", "LOAD", "ROOT USED"]

    private static func usage(_ name: String, _ used: Int64?, of size: Int64?) -> [[String]] {
        guard let used, let size, size > 0 else { return [] }
        return [[name, "\(used / 1024) of \(size / 1024) MiB (\(100 * used / size) %)", "agent"]]
    }
}
