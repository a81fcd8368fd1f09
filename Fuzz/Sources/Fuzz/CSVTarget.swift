import BootModel
import CSV

/// A table that was read and is written out again reads the same; its cells stand in the order of the text.
///
/// What a cell says as a user's key, name or home follows the rules of the type that takes it.
func fuzzCSV(_ bytes: Span<UInt8>) {
    let text = String(decoding: array(bytes), as: UTF8.self)
    guard let table = try? CSVTable(text) else { return }
    var last = (0, 0)
    for cell in table.rows.joined() {
        precondition((cell.line, cell.column) > last, "a cell stands before the one before it")
        last = (cell.line, cell.column)
        if let key = SSHPublicKey(cell.text) {
            precondition(!key.text.contains { $0.isNewline || $0 == "\t" }, "a key is more than a line")
        }
        if let name = UserName(cell.text) { precondition(!name.text.contains { ":,\n\t ".contains($0) }, "a name") }
        if let hash = PasswordHash(cell.text) {
            precondition(!hash.secret.contains { ":\n\t ".contains($0) }, "a hash")
        }
        if let home = NodePath(cell.text) { precondition(!home.text.contains { $0.isNewline || $0 == "\t" }, "a path") }
    }
    let written = table.rows.map { row in
        row.map { quoted($0.text) }.joined(separator: ",")
    }
    .joined(separator: "\n")
    guard let again = try? CSVTable(written) else { preconditionFailure("a written table cannot be read") }
    precondition(again.rows.map { $0.map(\.text) } == table.rows.map { $0.map(\.text) }, "a cell changed")
}

private func quoted(_ text: String) -> String {
    var quoted = "\"".unicodeScalars
    for scalar in text.unicodeScalars {
        if scalar == "\"" { quoted.append(scalar) }
        quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
}
