import BootModel

/// One entry of a fleet file with the places its parts were read from.
struct Located<Value: Sendable>: Sendable {
    /// What was read.
    var value: Value
    /// Where the entry begins.
    var position: TextPosition
    /// Where each value of each key stands; lists have a place per element.
    var places: [String: [TextPosition]]

    /// The place of a key's value, of the element `index` when it is a list; else of the entry.
    func position(of key: String, _ index: Int = 0) -> TextPosition {
        guard let found = places[key] else { return position }
        return index < found.count ? found[index] : found.first ?? position
    }
}

/// Reads positioned YAML values as words of the model and gathers everything that is wrong on the way.
struct FleetReader {
    /// What is wrong so far.
    private(set) var problems: [FleetFileProblem] = []
    /// The places of the entry being read.
    private var places: [String: [TextPosition]] = [:]

    /// Notes a problem.
    mutating func refuse(_ message: String, at position: TextPosition) {
        problems.append(FleetFileProblem(message, at: position))
    }

    /// The keys of one entry, every unknown one refused with the nearest known; nil when it is no mapping.
    mutating func keys(_ value: YAMLValue, of what: String, known: [String]) -> [String: YAMLValue]? {
        guard case .mapping(let entries) = value.content else {
            refuse("a \(what) is keys and values, here stands \(value.kind)", at: value.position)
            return nil
        }
        var found: [String: YAMLValue] = [:]
        for entry in entries {
            if known.contains(entry.key) {
                if !entry.value.isNull { found[entry.key] = entry.value }
            } else {
                let nearest = NearestName.of(entry.key, among: known).map { "did you mean \"\($0)\"?" }
                let mend = nearest ?? "known keys: \(known.joined(separator: ", "))"
                refuse("unknown key \"\(entry.key)\" of a \(what); \(mend)", at: entry.keyPosition)
            }
        }
        return found
    }

    /// Begins an entry whose places are gathered until `end`.
    mutating func begin() { places = [:] }

    /// The entry with its places.
    mutating func end<Value>(_ value: Value, at position: TextPosition) -> Located<Value> {
        defer { places = [:] }
        return Located(value: value, position: position, places: places)
    }

    /// Notes the place of a key whose value is more than a scalar.
    mutating func mark(_ key: String, _ value: YAMLValue) { places[key, default: []].append(value.position) }

    /// The elements of a list.
    mutating func list(_ value: YAMLValue, _ what: String) -> [YAMLValue] {
        guard case .sequence(let elements) = value.content else {
            if !value.isNull { refuse("\(what) is a list, here stands \(value.kind)", at: value.position) }
            return []
        }
        return elements
    }

    /// A scalar's text.
    mutating func text(_ value: YAMLValue?, _ key: String) -> String? {
        guard let value else { return nil }
        guard case .scalar(let text, _) = value.content else {
            refuse("\(key) is one value, here stands \(value.kind)", at: value.position)
            return nil
        }
        places[key, default: []].append(value.position)
        return text
    }

    /// A scalar read as `Value`; `form` says what it looks like, for the message.
    mutating func value<Value: LosslessStringConvertible>(_ value: YAMLValue?, _ key: String, _ form: String) -> Value?
    {
        guard let value, let text = text(value, key) else { return nil }
        guard let parsed = Value(text) else {
            refuse("\(key) \"\(text)\" is not \(form)", at: value.position)
            return nil
        }
        return parsed
    }

    /// A scalar that is one of a few words.
    mutating func word<Value: CaseIterable & RawRepresentable<String>>(_ value: YAMLValue?, _ key: String) -> Value? {
        guard let value, let text = text(value, key) else { return nil }
        guard let parsed = Value(rawValue: text) else {
            let words = Value.allCases.map(\.rawValue)
            let nearest = NearestName.of(text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
            refuse("\(key) \"\(text)\" is not one of \(words.joined(separator: ", "))\(nearest)", at: value.position)
            return nil
        }
        return parsed
    }

    /// A name.
    mutating func name<Value: Name>(_ value: YAMLValue?, _ key: String) -> Value? {
        guard let value, let text = text(value, key) else { return nil }
        do {
            return try Value(validating: text)
        } catch {
            refuse(error.description, at: value.position)
            return nil
        }
    }

    /// A list of scalars; one scalar alone is a list of one.
    mutating func values<Value>(
        _ value: YAMLValue?,
        _ key: String,
        read: (inout FleetReader, YAMLValue) -> Value?
    ) -> [Value]? {
        guard let value else { return nil }
        switch value.content {
        case .sequence(let elements): return elements.compactMap { read(&self, $0) }
        case .scalar: return read(&self, value).map { [$0] } ?? []
        case .mapping:
            refuse("\(key) is a list, here stands \(value.kind)", at: value.position)
            return []
        }
    }
}
