/// What is wrong in a template: which file, which line, which name.
public struct MustacheProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as the template was named.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The variable, section or partial that it is about; nil when it is about none.
    public var name: String?
    /// What is wrong and how to mend it.
    public var reason: String

    /// A problem from its parts.
    public init(file: String, line: Int, name: String? = nil, reason: String) {
        self.file = file
        self.line = line
        self.name = name
        self.reason = reason
    }

    /// `FILE:LINE: REASON`.
    public var description: String { "\(file):\(line): \(reason)" }
}

/// How much a template may ask for; what goes beyond is a `MustacheProblem`, so that no template can hang or fill the
/// memory.
public struct MustacheLimits: Hashable, Sendable {
    /// Bytes of a template.
    public var source = 1 << 20
    /// Bytes of what comes out.
    public var output = 8 << 20
    /// Sections and partials within each other.
    public var depth = 32
    /// Parts rendered in all, those of every repetition counted.
    public var steps = 1_000_000

    /// The limits that the program uses.
    public init() {}
}
