/// A bound on nesting, checked before the text reaches the YAML parser.
///
/// The parser calls itself once per level, so `[[[[…` of a few hundred thousand brackets would exhaust the stack of
/// the thread that reads it. A fleet file needs six levels.
enum YAMLNesting {
    /// Deepest nesting of brackets and widest indentation that is read.
    static let limit = 200

    /// Refuses text whose brackets nest deeper, or whose lines begin deeper, than any fleet file does.
    ///
    /// Brackets inside quotes count too: unbalanced ones by the hundred have no use there either.
    static func check(_ text: String) throws(FleetFileError) {
        var line = 1
        var column = 0
        var depth = 0
        var indentation = 0
        var atStart = true
        for byte in text.utf8 {
            column += 1
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                column = 0
                indentation = 0
                atStart = true
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            default: break
            }
            // Block levels open by indentation and by the indicators "- ", "? " and ": " at the start of a line.
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "\t"):
                if atStart { indentation += 1 }
            default: atStart = false
            }
            guard depth <= limit, indentation <= limit else {
                throw FleetFileError(
                    "nested deeper than \(limit) levels; a fleet file has networks, profiles and nodes as lists of keys",
                    at: TextPosition(line: line, column: column)
                )
            }
        }
    }
}
