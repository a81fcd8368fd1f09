import Yams

/// One thing that is wrong in a fleet file: where, what, how to mend it.
public struct FleetFileProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where it stands; nil when it belongs to no place in the text.
    public var position: TextPosition?
    /// What is wrong and how to mend it, one line.
    public var message: String

    /// A problem from its parts.
    public init(_ message: String, at position: TextPosition?) {
        self.message = message
        self.position = position
    }

    /// `LINE:COLUMN: MESSAGE`.
    public var description: String { position.map { "\($0): \(message)" } ?? message }
}

/// A fleet file that cannot be applied, with everything that is wrong in it; nothing of it was applied.
public struct FleetFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problems in the order of the text; never empty.
    public var problems: [FleetFileProblem]

    /// An error from its problems.
    public init(_ problems: [FleetFileProblem]) { self.problems = problems }

    /// An error of one problem.
    public init(_ message: String, at position: TextPosition? = nil) {
        problems = [FleetFileProblem(message, at: position)]
    }

    /// One line per problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension FleetFileError {
    /// From what the YAML parser throws.
    init(yaml error: any Error) {
        guard let error = error as? YamlError else {
            self.init("not readable as YAML: \(error)")
            return
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let context = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            self.init("not YAML: \(problem)\(context)", at: TextPosition(line: mark.line, column: mark.column))
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                "key \"\(duplicates.first ?? "")\" is given twice here; keep one",
                at: TextPosition(line: context.mark.line, column: context.mark.column)
            )
        case .reader(let problem, let offset, _, let yaml):
            self.init("not YAML: \(problem)", at: offset.map { Self.position(of: $0, in: yaml) })
        default:
            self.init("not readable as YAML: \(error)")
        }
    }

    private static func position(of offset: Int, in text: String) -> TextPosition {
        let before = text.prefix(offset)
        let line = before.reduce(1) { $1.isNewline ? $0 + 1 : $0 }
        let start = before.lastIndex(where: \.isNewline).map { before.index(after: $0) } ?? before.startIndex
        return TextPosition(line: line, column: before.distance(from: start, to: before.endIndex) + 1)
    }
}
