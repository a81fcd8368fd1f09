/// Comma-separated values (RFC 4180) with the place of each cell; columns are counted in Unicode scalars, of which
/// no mark that combines with a comma or a quote can make something else.
public struct CSVTable: Sendable {
    /// One cell.
    public struct Cell: Hashable, Sendable {
        /// Its text, without the quotes around it.
        public var text: String
        /// The line on which it begins, from 1.
        public var line: Int
        /// The column at which it begins, from 1.
        public var column: Int
    }

    /// The rows that are not blank.
    public private(set) var rows: [[Cell]] = []

    /// Reads the text; quotes double inside quotes, and line ends may be of either kind.
    ///
    /// Throws `CSVProblem` for a quote that is not closed, and for text after one that is.
    public init(_ text: String) throws(CSVProblem) {
        var row: [Cell] = []
        var cell = Cell(text: "", line: 1, column: 1)
        var (line, column) = (1, 1)
        var isQuoted = false
        var wasQuoted = false
        var scalars = Array(text.unicodeScalars)[...]
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
        func endRow(_ rows: inout [[Cell]], _ row: inout [Cell]) {
            row.append(cell)
            if row.count > 1 || !cell.text.isEmpty { rows.append(row) }
            row = []
        }
        while let scalar = scalars.popFirst() {
            column += 1
            let isLineEnd = scalar == "\n" || scalar == "\r" && scalars.first != "\n"
            let isHalfLineEnd = scalar == "\r" && !isLineEnd
            if isQuoted {
                if scalar == "\"" {
                    if scalars.first == "\"" {
                        scalars.removeFirst()
                        column += 1
                        cell.text.unicodeScalars.append("\"")
                    } else {
                        isQuoted = false
                        wasQuoted = true
                    }
                    continue
                }
                cell.text.unicodeScalars.append(scalar)
                if isLineEnd { (line, column) = (line + 1, 1) }
            } else if isHalfLineEnd {
                continue
            } else if isLineEnd {
                (line, column) = (line + 1, 1)
                endRow(&rows, &row)
                cell = Cell(text: "", line: line, column: 1)
                wasQuoted = false
            } else if scalar == "," {
                row.append(cell)
                cell = Cell(text: "", line: line, column: column)
                wasQuoted = false
            } else if scalar == "\"", cell.text.isEmpty, !wasQuoted {
                isQuoted = true
            } else if wasQuoted {
                throw CSVProblem(
                    "text after the closing quote; double the quotes inside a cell",
                    line: line,
                    column: column - 1
                )
            } else {
                cell.text.unicodeScalars.append(scalar)
            }
        }
        guard !isQuoted else { throw CSVProblem("a quote is not closed", line: cell.line, column: cell.column) }
        endRow(&rows, &row)
    }
}

/// What is wrong with a table, and where.
public struct CSVProblem: Error, Hashable, Sendable {
    /// What is wrong and how to mend it, one line.
    public var message: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int

    init(_ message: String, line: Int, column: Int) {
        self.message = message
        self.line = line
        self.column = column
    }
}
