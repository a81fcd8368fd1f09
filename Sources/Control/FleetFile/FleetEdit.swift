public import BootModel

/// A kind of entry that a fleet has.
public enum FleetKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A subnet that we serve.
    case network
    /// Settings that nodes share.
    case profile
    /// A machine.
    case node
    /// A person.
    case user
    /// A name of an image version.
    case tag

    /// The key of its list in a fleet file.
    public var listKey: String { rawValue + "s" }
}

/// A change of one key of an entry.
public struct FleetKeyChange: Hashable, Sendable, Codable {
    /// What happens to the key.
    public enum Operation: String, Hashable, Sendable, Codable {
        /// `key=value`.
        case set = "="
        /// `key+=value`: at the end of a list, unless it is there.
        case add = "+="
        /// `key-=value`: out of a list.
        case remove = "-="
        /// The key goes.
        case unset = ""
    }

    /// The key; a dot stands before a key inside another: `root.writes`, `variables.seat`.
    public var key: String
    /// What happens to it.
    public var operation: Operation
    /// The value as YAML when it begins with a bracket or a quote, else as text.
    public var value: String

    /// A change from its parts.
    public init(key: String, operation: Operation, value: String = "") {
        self.key = key
        self.operation = operation
        self.value = value
    }

    /// From `key=value`, `key+=value` or `key-=value`; nil when it is none of them.
    public init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
        let mark = text[text.index(before: equals)]
        operation = mark == "+" ? .add : mark == "-" ? .remove : .set
        let end = operation == .set ? equals : text.index(before: equals)
        key = String(text[..<end])
        value = String(text[text.index(after: equals)...])
        guard !key.isEmpty else { return nil }
    }
}

/// Whether an entry that is edited must be there.
public enum FleetEditMode: String, Hashable, Sendable, Codable {
    /// It must not: it is made.
    case add
    /// It must.
    case change
    /// It is made when it is not there.
    case either
}

extension Fleet {
    /// Changes keys of one entry, by the rules of the fleet file, and tells the differences.
    ///
    /// Throws a `FleetFileError` without places: what is wrong with the entry or with the fleet as it would be.
    public mutating func edit(
        _ kind: FleetKind,
        _ name: String,
        _ changes: [FleetKeyChange],
        mode: FleetEditMode = .change
    ) throws(FleetFileError) -> [FleetChange] {
        let found = fields(of: kind, name)
        switch mode {
        case .add where found != nil:
            throw FleetFileError(
                "\(kind.rawValue) \(name) exists already: change it with 'diskless \(kind.rawValue) set'"
            )
        case .change where found == nil: throw missing(kind, name)
        default: break
        }
        var fields = found ?? defaults(kind)
        for change in changes { try Self.apply(change, to: &fields) }
        var text = "\(kind.listKey):\n  - name: \(YAMLScalar.written(name))\n"
        for field in fields { text += "    \(YAMLScalar.written(field.key)): \(field.content.yaml)\n" }
        if kind == .user, !fields.contains(where: { $0.key == "password" }) { text += "    password: none\n" }
        do {
            return try FleetDocument(parsing: text).apply(to: &self, prune: false)
        } catch {
            throw FleetFileError(error.problems.map { FleetFileProblem($0.message, at: nil) })
        }
    }

    /// Removes an entry; refused when something else needs it.
    public mutating func remove(_ kind: FleetKind, _ name: String) throws(FleetFileError) {
        guard fields(of: kind, name) != nil else { throw missing(kind, name) }
        if let user = usersOf(kind, name).first {
            throw FleetFileError("\(kind.rawValue) \(name) is kept, for \(user) names it: take it away there first")
        }
        switch kind {
        case .network: remove(NetworkName(checked: name))
        case .profile: remove(ProfileName(checked: name))
        case .node: remove(NodeName(checked: name))
        case .user: remove(UserName(checked: name))
        case .tag: if let name = ImageTag.Name(name) { remove(name) }
        }
    }

    /// What names an entry and would make no sense without it: `node megane`.
    private func usersOf(_ kind: FleetKind, _ name: String) -> [String] {
        switch kind {
        case .profile:
            let profile = ProfileName(checked: name)
            // Every node has `default`, and does without.
            guard profile != .default else { return [] }
            return nodes.values.filter { $0.profiles.contains(profile) }.map { "node \($0.name)" }.sorted()
                + profiles.values.filter { $0.inherits.contains(profile) }.map { "profile \($0.name)" }.sorted()
                + users.values.filter { $0.profiles.contains(profile) }.map { "user \($0.name)" }.sorted()
        case .user:
            let user = UserName(checked: name)
            return profiles.values.filter { $0.settings.users?.contains(user) == true }.map { "profile \($0.name)" }
                .sorted()
                + nodes.values.filter { $0.settings.users?.contains(user) == true }.map { "node \($0.name)" }.sorted()
        case .network, .node, .tag: return []
        }
    }

    /// The names of the entries of a kind, sorted.
    public func names(of kind: FleetKind) -> [String] {
        switch kind {
        case .network: networks.keys.map(\.text).sorted()
        case .profile: profiles.keys.map(\.text).sorted()
        case .node: nodes.keys.map(\.text).sorted()
        case .user: users.keys.map(\.text).sorted()
        case .tag: tags.keys.map(\.description).sorted()
        }
    }

    /// What an entry says, keys in the order of the file, without secrets; nil when there is none of that name.
    public func entry(_ kind: FleetKind, _ name: String) -> [SettingValue.Pair]? {
        fields(of: kind, name)?.map { field in
            SettingValue.Pair(field.key, field.isSecret ? .text("(hidden)") : field.content)
        }
    }

    /// That an entry does not exist, with the nearest that does.
    public func missing(_ kind: FleetKind, _ name: String) -> FleetFileError {
        let nearest = NearestName.of(name, among: names(of: kind)).map { "did you mean \($0)?" }
        return FleetFileError(
            "there is no \(kind.rawValue) \(name); \(nearest ?? "see 'diskless \(kind.rawValue) list'")"
        )
    }

    private func fields(of kind: FleetKind, _ name: String) -> [FleetField]? {
        switch kind {
        case .network: networks[NetworkName(checked: name)]?.fields
        case .profile: profiles[ProfileName(checked: name)]?.fields
        case .node: nodes[NodeName(checked: name)]?.fields
        case .user: users[UserName(checked: name)]?.fields
        case .tag: ImageTag.Name(name).flatMap { tags[$0]?.fields }
        }
    }

    /// What a new entry begins with: users get the next free id.
    private func defaults(_ kind: FleetKind) -> [FleetField] {
        guard kind == .user else { return [] }
        let next = (users.values.map(\.uid).filter { (2000..<60_000).contains($0) }.max() ?? 1999) + 1
        return [FleetField(key: "uid", content: .scalar(String(next), isPlain: true))]
    }

    private static func apply(_ change: FleetKeyChange, to fields: inout [FleetField]) throws(FleetFileError) {
        guard change.key != "name" else {
            throw FleetFileError("an entry cannot be renamed: add one of the new name and remove the old one")
        }
        let parts = change.key.split(separator: ".", maxSplits: 1).map(String.init)
        guard let outer = parts.first else { throw FleetFileError("\"\(change.key)\" is not a key") }
        let index = fields.firstIndex { $0.key == outer }
        let old = index.map { fields[$0].content }
        let new: SettingValue?
        if parts.count == 2 {
            var pairs: [SettingValue.Pair] = []
            if case .keys(let known)? = old { pairs = known }
            let inner = pairs.firstIndex { $0.key == parts[1] }
            let value = try changed(inner.map { pairs[$0].value }, change)
            switch (inner, value) {
            case (let inner?, let value?): pairs[inner].value = value
            case (let inner?, nil): pairs.remove(at: inner)
            case (nil, let value?): pairs.append(SettingValue.Pair(parts[1], value))
            case (nil, nil): break
            }
            new = pairs.isEmpty ? nil : .keys(pairs)
        } else {
            new = try changed(old, change)
        }
        switch (index, new) {
        case (let index?, let new?): fields[index].content = new
        case (let index?, nil): fields.remove(at: index)
        case (nil, let new?): fields.append(FleetField(key: outer, content: new))
        case (nil, nil): break
        }
    }

    private static func changed(
        _ old: SettingValue?,
        _ change: FleetKeyChange
    ) throws(FleetFileError) -> SettingValue? {
        if change.operation == .unset { return nil }
        let value = try read(change)
        if change.operation == .set { return value }
        var elements: [SettingValue] =
            switch old {
            case .list(let elements)?: elements
            case let old?: [old]
            case nil: []
            }
        let operands: [SettingValue] = if case .list(let several) = value { several } else { [value] }
        for operand in operands {
            let place = elements.firstIndex { $0.yaml == operand.yaml || $0.words == operand.words }
            if change.operation == .add {
                if place == nil { elements.append(operand) }
            } else if let place {
                elements.remove(at: place)
            } else {
                throw FleetFileError("\(change.key) does not hold \(operand.yaml)")
            }
        }
        return .list(elements)
    }

    private static func read(_ change: FleetKeyChange) throws(FleetFileError) -> SettingValue {
        guard let first = change.value.first, "[{\"'".contains(first) else {
            let isPlain = VariableValue(plain: change.value) != .text(change.value)
            return .scalar(change.value, isPlain: isPlain)
        }
        do {
            return try YAMLValue(parsing: change.value)?.setting ?? .text("")
        } catch {
            throw FleetFileError("\(change.key): \(error.problems.first?.message ?? "not YAML")")
        }
    }
}
