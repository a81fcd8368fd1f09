import BootModel
import CSV

extension FleetDocument {
    private static let columns = [
        "name", "uid", "groups", "full-name", "shell", "home", "password", "ssh-keys", "profiles",
    ]
    private static let lists: Set<String> = ["groups", "ssh-keys", "profiles"]

    /// Reads users from a table of comma-separated values (RFC 4180) whose first row names the columns; elements of a
    /// list stand between semicolons, and an empty cell says nothing.
    ///
    /// Throws a `FleetFileError` with the line and column (in characters) of everything that is wrong in any row.
    public init(parsingUserTable text: String) throws(FleetFileError) {
        guard text.utf8.count <= Self.limit else {
            throw FleetFileError("the table is larger than \(Self.limit >> 20) MiB; split it")
        }
        var rows: ArraySlice<[CSVTable.Cell]>
        do throws(CSVProblem) {
            rows = try CSVTable(text).rows[...]
        } catch {
            throw FleetFileError(error.message, at: TextPosition(line: error.line, column: error.column))
        }
        guard let head = rows.popFirst() else {
            throw FleetFileError("the table is empty; its first row names columns: name,uid,groups,…")
        }
        var reader = FleetReader()
        for (index, cell) in head.enumerated() {
            if !Self.columns.contains(cell.text) {
                let mend =
                    NearestName.of(cell.text, among: Self.columns).map { "did you mean \"\($0)\"?" }
                    ?? "known columns: \(Self.columns.joined(separator: ", "))"
                reader.refuse("unknown column \"\(cell.text)\"; \(mend)", at: cell.position)
            } else if head[..<index].contains(where: { $0.text == cell.text }) {
                reader.refuse("column \"\(cell.text)\" is given twice; keep one", at: cell.position)
            }
        }
        for name in ["name", "uid"] where !head.contains(where: { $0.text == name }) {
            reader.refuse("the table has no column \"\(name)\"", at: TextPosition(line: 1, column: 1))
        }
        guard reader.problems.isEmpty else { throw FleetFileError(reader.problems) }
        var users: [YAMLValue] = []
        for row in rows {
            guard row.count == head.count, let first = row.first else {
                let place = row.first?.position ?? TextPosition(line: 1, column: 1)
                reader.refuse("this row has \(row.count) cells, the first row \(head.count)", at: place)
                continue
            }
            let entries = zip(head, row).filter { !$1.text.isEmpty }.map { column, cell in
                YAMLValue.Entry(key: column.text, keyPosition: cell.position, value: Self.value(cell, column.text))
            }
            users.append(YAMLValue(content: .mapping(entries), position: first.position))
        }
        self.init(users: YAMLValue(content: .sequence(users), position: TextPosition(line: 2, column: 1)), &reader)
        guard reader.problems.isEmpty else { throw FleetFileError(reader.problems.sorted { $0.order < $1.order }) }
    }

    private static func value(_ cell: CSVTable.Cell, _ column: String) -> YAMLValue {
        guard lists.contains(column) else {
            return YAMLValue(content: .scalar(cell.text, isPlain: false), position: cell.position)
        }
        let parts = cell.text.split(separator: ";").map { part in
            var text = part
            while text.first == " " { text.removeFirst() }
            while text.last == " " { text.removeLast() }
            return YAMLValue(content: .scalar(String(text), isPlain: false), position: cell.position)
        }
        return YAMLValue(content: .sequence(parts), position: cell.position)
    }
}

extension CSVTable.Cell {
    /// Where it begins.
    var position: TextPosition { TextPosition(line: line, column: column) }
}
