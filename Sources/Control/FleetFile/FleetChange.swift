import BootModel

/// One difference between the fleet as it is and as a file wants it.
public struct FleetChange: Hashable, Sendable {
    /// What happens to the entry.
    public enum Action: String, Hashable, Sendable {
        /// It is new.
        case add = "+"
        /// It goes.
        case remove = "-"
        /// Some of what it says changes.
        case change = "~"
    }

    /// What happens to the entry.
    public var action: Action
    /// "network", "profile", "node", "user" or "tag".
    public var kind: String
    /// The entry's name.
    public var name: String
    /// What it says, or what changes: `address: 10.0.0.71 -> 10.0.0.72`.
    public var details: [String]

    /// One line: `~ node megane  address: 10.0.0.71 -> 10.0.0.72`.
    public var line: String {
        "\(action.rawValue) \(kind) \(name)" + (details.isEmpty ? "" : "  " + details.joined(separator: ", "))
    }
}

extension FleetChange {
    /// The differences between two lists of entries of one kind: added and changed in the new order, then removed.
    static func between<Entry: FleetEntry>(_ old: [Entry], _ new: [Entry]) -> [FleetChange] {
        let before = Dictionary(old.map { ($0.entryName, $0) }, uniquingKeysWith: { first, _ in first })
        let kept = Set(new.map(\.entryName))
        var changes: [FleetChange] = []
        for entry in new {
            guard let previous = before[entry.entryName] else {
                let details = entry.fields.map { "\($0.key): \($0.shown)" }
                changes.append(FleetChange(action: .add, kind: Entry.kind, name: entry.entryName, details: details))
                continue
            }
            guard previous != entry else { continue }
            changes.append(
                FleetChange(
                    action: .change,
                    kind: Entry.kind,
                    name: entry.entryName,
                    details: differences(previous.fields, entry.fields)
                )
            )
        }
        for entry in old where !kept.contains(entry.entryName) {
            changes.append(FleetChange(action: .remove, kind: Entry.kind, name: entry.entryName, details: []))
        }
        return changes
    }

    private static func differences(_ old: [FleetField], _ new: [FleetField]) -> [String] {
        var lines: [String] = []
        func line(_ field: FleetField, _ before: String, _ now: String) {
            lines.append("\(field.key): \(before) -> \(now)" + (field.effect.map { " (\($0.rawValue))" } ?? ""))
        }
        for field in old {
            let now = new.first { $0.key == field.key }
            if now != field { line(field, field.shown, now?.shown ?? "not set") }
        }
        for field in new where !old.contains(where: { $0.key == field.key }) { line(field, "not set", field.shown) }
        return lines
    }
}
