public import BootModel

/// How a running node is, as its agent told last.
public struct NodeCondition: Hashable, Sendable, Codable {
    /// When the agent was heard last.
    public var seen: Timestamp
    /// The boot that it runs in.
    public var boot: BootIdentifier
    /// The image version that it runs; from the server's own record of the boot.
    public var image: ImageVersionID?
    /// How many processes wanted to run in the last minute, as `uptime` shows it.
    public var load: Double?
    /// Seconds since its kernel started.
    public var uptime: Int64?
    /// The size of its memory in KiB.
    public var memory: Int64?
    /// How much of it is free for programs, in KiB.
    public var memoryAvailable: Int64?
    /// The size of the file system that takes the root's writes, in KiB.
    public var root: Int64?
    /// How much of it is used, in KiB.
    public var rootUsed: Int64?
    /// Its kernel's release.
    public var kernel: String?

    /// A condition of which only the time is known.
    public init(seen: Timestamp, boot: BootIdentifier) {
        self.seen = seen
        self.boot = boot
    }
}

/// What an agent sends with each of its questions: `key value` lines, of which unknown ones are left alone.
public struct AgentReport: Hashable, Sendable {
    /// How the node is.
    public var condition: NodeCondition
    /// Which accounts it has: the digest of the file; nil for none.
    public var accounts: String?

    /// The longest report that is read, in bytes.
    public static let limit = 4096

    /// A word that a terminal takes as it is.
    private static func printable(_ word: Substring) -> String {
        String(String.UnicodeScalarView(word.unicodeScalars.filter { (0x21...0x7e).contains($0.value) }.prefix(64)))
    }

    /// The largest figure that is believed.
    public static let largestFigure: Int64 = 1 << 50

    /// From the body of the agent's question; figures that make no sense are left out.
    public init(_ body: [UInt8], seen: Timestamp, boot: BootIdentifier) {
        condition = NodeCondition(seen: seen, boot: boot)
        // Bounded, so that nobody who reckons with them has to think of overflow.
        func figure(_ text: Substring?) -> Int64? {
            text.flatMap { Int64($0) }.flatMap { (0...Self.largestFigure).contains($0) ? $0 : nil }
        }
        for line in String(decoding: body.prefix(Self.limit), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "load": condition.load = Double(words[1]).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
            case "uptime": condition.uptime = figure(words[1])
            case "memory":
                condition.memory = figure(words[1])
                condition.memoryAvailable = figure(words.dropFirst(2).first)
            case "root":
                condition.root = figure(words[1])
                condition.rootUsed = figure(words.dropFirst(2).first)
            case "kernel": condition.kernel = Self.printable(words[1])
            case "users": accounts = words[1] == "-" ? nil : String(words[1].prefix(64))
            default: break
            }
        }
    }
}
