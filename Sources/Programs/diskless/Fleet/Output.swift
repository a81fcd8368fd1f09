import CLinux

/// What commands on the fleet print: for people on a terminal, for programs elsewhere.
enum Output {
    /// Whether people read standard output.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// A line, at once: whoever reads a pipe must see an event when it happens.
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line for the person, kept out of the output.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Text as it is.
    static func text(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// A table: aligned under headings on a terminal, values between tabs elsewhere.
    static func table(_ headings: [String], _ rows: [[String]], terminal: Bool = isTerminal) {
        text(tableText(headings, rows, terminal: terminal))
    }

    /// The table's text.
    static func tableText(_ headings: [String], _ rows: [[String]], terminal: Bool) -> String {
        let rows = rows.map { $0.map { $0.isEmpty ? "-" : printable($0) } }
        guard terminal else { return rows.map { $0.joined(separator: "\t") + "\n" }.joined() }
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(
                separator: "  "
            )
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// Text without control characters: host names and reasons come from the network and must not drive the terminal.
    static func printable(_ text: String) -> String {
        // Most text is plain, and a table may have a hundred thousand of them.
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 })
        )
    }

    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if clinux_errno() != EINTR {
                // The reader has left (diskless watch | head): there is nobody to tell.
                exit(EXIT_FAILURE)
            }
        }
    }
}
