import Yams

/// Where something stands in a text: line and column, both counted from 1, columns in characters.
public struct TextPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int

    /// A position from its parts.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// `LINE:COLUMN`, as compilers write it.
    public var description: String { "\(line):\(column)" }

    /// By line, then column.
    public static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A YAML value with the position it was read from; scalars stay text until somebody knows what they mean.
///
/// The parser's own typing (`no` is false, `1e3` a number) is left off: a node called `no` keeps its name.
struct YAMLValue: Sendable {
    /// What stands at the position.
    enum Content: Sendable {
        /// Text; `isPlain` tells that it was written without quotes, so that `null` and `~` can mean nothing.
        case scalar(String, isPlain: Bool)
        /// A list.
        case sequence([YAMLValue])
        /// Keys and values in the order of the text.
        case mapping([Entry])
    }

    /// One key of a mapping with its value.
    struct Entry: Sendable {
        let key: String
        let keyPosition: TextPosition
        let value: YAMLValue
    }

    let content: Content
    let position: TextPosition

    /// How a message names this kind of value.
    var kind: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : "the text \"\(text)\""
        case .sequence: "a list"
        case .mapping: "keys and values"
        }
    }

    /// Whether nothing stands there: an empty value, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }
}

extension YAMLValue {
    /// Most values that one document may have after its aliases are followed.
    static let limit = 4_000_000

    /// Reads one YAML document; nil when the text holds none.
    init?(parsing text: String) throws(FleetFileError) {
        try YAMLNesting.check(text)
        let root: Yams.Node?
        do {
            root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch {
            throw FleetFileError(yaml: error)
        }
        guard let root else { return nil }
        var remaining = Self.limit
        try self.init(root, remaining: &remaining)
    }

    private init(_ node: Yams.Node, remaining: inout Int) throws(FleetFileError) {
        position = node.mark.map { TextPosition(line: $0.line, column: $0.column) } ?? TextPosition(line: 1, column: 1)
        remaining -= 1
        guard remaining > 0 else {
            throw FleetFileError(
                "the document has more than \(Self.limit) values; aliases repeat too much",
                at: position
            )
        }
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
        case .sequence(let sequence):
            var values: [YAMLValue] = []
            values.reserveCapacity(sequence.count)
            for element in sequence { values.append(try YAMLValue(element, remaining: &remaining)) }
            content = .sequence(values)
        case .mapping(let mapping):
            var entries: [Entry] = []
            entries.reserveCapacity(mapping.count)
            for (key, value) in mapping {
                guard let name = key.scalar else {
                    throw FleetFileError("a key must be plain text, not a list or a mapping", at: position)
                }
                let mark = name.mark.map { TextPosition(line: $0.line, column: $0.column) } ?? position
                entries.append(
                    Entry(key: name.string, keyPosition: mark, value: try YAMLValue(value, remaining: &remaining))
                )
            }
            content = .mapping(entries)
        case .alias:
            throw FleetFileError("an alias that names nothing", at: position)
        }
    }
}
