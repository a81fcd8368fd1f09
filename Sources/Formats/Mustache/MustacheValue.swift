/// What a template's names stand for.
public enum MustacheValue: Hashable, Sendable {
    /// Text, put in as it is.
    case text(String)
    /// A choice: for sections, and printed as `true` or `false`.
    case boolean(Bool)
    /// Several values: a section is repeated for each.
    case list([MustacheValue])
    /// Values by name.
    case object([String: MustacheValue])

    /// A number, printed in decimal.
    public static func number(_ value: some BinaryInteger) -> MustacheValue { .text(String(value)) }

    /// Whether a section of this value is left out: false, no elements, no text.
    public var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .boolean(let isTrue): !isTrue
        case .list(let values): values.isEmpty
        case .object: false
        }
    }

    /// What it is, for a sentence: "a list".
    var kind: String {
        switch self {
        case .text: "text"
        case .boolean: "true or false"
        case .list: "a list"
        case .object: "a group of names"
        }
    }
}
