/// A bound on nesting, checked before the text reaches the YAML parser.
///
/// The parser calls itself once per level, so `[[[[…` of a few hundred thousand brackets would exhaust the stack of
/// the thread that reads it. A fleet file needs six levels.
enum YAMLNesting {
    /// Deepest nesting of brackets that is read.
    static let bracketLimit = 32
    /// Widest indentation that is read, in columns: block levels open one or two to a column.
    static let indentationLimit = 64

    /// Refuses text whose brackets nest deeper, or whose lines begin deeper, than any fleet file does.
    ///
    /// Brackets inside quotes count too: unbalanced ones by the dozen have no use there either.
    static func check(_ text: String) throws(FleetFileError) {
        var line = 1
        var column = 0
        var depth = 0
        var atStart = true
        for byte in text.utf8 {
            column += 1
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                column = 0
                atStart = true
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            default: break
            }
            var isTooDeep = depth > bracketLimit
            switch byte {
            // Block levels open by indentation and by the indicators "- ", "? " and ": " at the start of a line.
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                isTooDeep = isTooDeep || (atStart && column > indentationLimit)
            default:
                // A comment may stand anywhere.
                isTooDeep = isTooDeep || (atStart && column > indentationLimit && byte != UInt8(ascii: "#"))
                atStart = false
            }
            guard !isTooDeep else {
                throw FleetFileError(
                    "nested too deeply; a fleet file has networks, profiles and nodes as lists of keys",
                    at: TextPosition(line: line, column: column)
                )
            }
        }
    }
}
