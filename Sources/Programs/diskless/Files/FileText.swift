import AdminAPI
import ArgumentParser

/// Overlay files as lines.
enum FileText {
    /// A file that is not the same any more; nil on one side when it was or is not there.
    struct Change {
        var path: String
        var old: ShownFile?
        var new: ShownFile?
    }

    /// One line a file: mode, owner, size, path, and where it came from.
    static func list(_ files: [ShownFile]) -> [String] {
        files.map { file in
            let mode = String(repeating: " ", count: max(0, 4 - file.mode.count)) + file.mode
            var line = "\(mode) \(file.owner):\(file.group)  /\(file.path)"
            if file.kind == "directory" { line += "/" }
            if file.kind == "link" { line += " -> \(file.text ?? "")" }
            if file.kind == "file" { line += "  \(file.size) bytes" }
            if file.isSecret { line += ", secret" }
            return Output.printable("\(line)  (\(file.source))")
        }
    }

    /// The file of a path, with or without its leading slash.
    static func file(_ path: String, in files: [ShownFile], of whose: String) throws -> ShownFile {
        let wanted = path.hasPrefix("/") ? String(path.dropFirst()) : path
        guard let file = files.first(where: { $0.path == wanted }) else {
            throw AdminProblem("\(whose) has no file /\(wanted): see the list without a path")
        }
        return file
    }

    /// A file's content as lines.
    static func content(_ file: ShownFile) -> [String] {
        if file.isSecret { return ["(secret, \(file.size) bytes)"] }
        switch file.kind {
        case "directory": return ["(a directory)"]
        case "link": return ["-> \(file.text ?? "")"]
        default:
            guard let text = file.text else { return ["(\(file.size) bytes, no text)"] }
            return lines(text).map(printable)
        }
    }

    /// What was added, changed and removed, by path.
    static func changes(from old: [ShownFile]?, to new: [ShownFile]) -> [Change] {
        guard let old else { return [] }
        let before = Dictionary(old.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        return Set(before.keys).union(after.keys).sorted().compactMap { path in
            let change = Change(path: path, old: before[path], new: after[path])
            if let old = change.old, let new = change.new, old.isSame(as: new) { return nil }
            return change
        }
    }

    /// A change in the manner of diff(1).
    static func difference(_ change: Change) -> [String] {
        var result: [String] = []
        switch (change.old, change.new) {
        case (nil, let new?): result.append("+ /\(change.path) is new\(new.isSecret ? " (secret)" : "")")
        case (_?, nil): return [Output.printable("- /\(change.path) is gone")]
        case (let old?, let new?):
            result.append("~ /\(change.path)")
            if (old.mode, old.owner, old.group) != (new.mode, new.owner, new.group) {
                result.append(
                    "    mode \(old.mode) \(old.owner):\(old.group), now \(new.mode) \(new.owner):\(new.group)"
                )
            }
            if new.isSecret { result.append("    its secret content is another") }
        case (nil, nil): break
        }
        let old = change.old?.text.map(lines) ?? []
        let new = change.new?.text.map(lines) ?? []
        // Lines of the old text with those that were taken away marked, those that came put in between.
        let steps = new.difference(from: old)
        var removed: Set<Int> = []
        var inserted: [Int: String] = [:]
        for step in steps {
            switch step {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, let line, _): inserted[offset] = line
            }
        }
        result += removed.sorted().map { "    - \(old[$0])" }
        result += inserted.sorted { $0.key < $1.key }.map { "    + \($0.value)" }
        return result.map(printable)
    }

    /// Tabs are for people too; what drives a terminal is not.
    private static func printable(_ line: String) -> String {
        Output.printable(line.replacing("\t", with: "        "))
    }

    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}
