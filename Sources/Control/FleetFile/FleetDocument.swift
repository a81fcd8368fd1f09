public import BootModel

/// A fleet file: networks, profiles, nodes, users and image tags as YAML, each entry with the place it was read from.
///
/// A list that the file does not have says nothing about its kind of entry; an empty one (`nodes: []`) says that there
/// are none, which matters to pruning.
public struct FleetDocument: Sendable {
    /// Largest file that is read, in bytes.
    public static let limit = 64 << 20

    let networks: [Located<BootModel.Network>]?
    let profiles: [Located<BootModel.Profile>]?
    let nodes: [Located<BootModel.Node>]?
    let users: [Located<BootModel.User>]?
    let tags: [Located<BootModel.ImageTag>]?

    /// Reads a file's text.
    ///
    /// Throws a `FleetFileError` with everything that is wrong in it by itself: what is not YAML, unknown keys, values
    /// that mean nothing, two entries of one name.
    public init(parsing text: String) throws(FleetFileError) {
        guard text.utf8.count <= Self.limit else {
            throw FleetFileError("the file is larger than \(Self.limit >> 20) MiB; split it")
        }
        guard let root = try YAMLValue(parsing: text), !root.isNull else {
            throw FleetFileError("the file is empty; it needs networks, profiles, nodes, users or tags")
        }
        var reader = FleetReader()
        let keys =
            reader.keys(root, of: "fleet file", known: ["networks", "profiles", "nodes", "users", "tags"]) ?? [:]
        networks = Self.entries(keys["networks"], "networks", &reader) { $0.network($1) }
        profiles = Self.entries(keys["profiles"], "profiles", &reader) { $0.profile($1) }
        nodes = Self.entries(keys["nodes"], "nodes", &reader) { $0.node($1) }
        users = Self.entries(keys["users"], "users", &reader) { $0.user($1) }
        tags = Self.entries(keys["tags"], "tags", &reader) { $0.tag($1) }
        guard reader.problems.isEmpty else { throw FleetFileError(reader.problems.sorted { ($0.order) < ($1.order) }) }
    }

    /// A document of users alone.
    init(users value: YAMLValue, _ reader: inout FleetReader) {
        networks = nil
        profiles = nil
        nodes = nil
        tags = nil
        users = Self.entries(value, "users", &reader) { $0.user($1) }
    }

    private static func entries<Entry: FleetEntry>(
        _ value: YAMLValue?,
        _ key: String,
        _ reader: inout FleetReader,
        read: (inout FleetReader, YAMLValue) -> Located<Entry>?
    ) -> [Located<Entry>]? {
        guard let value else { return nil }
        let entries = reader.list(value, key).compactMap { read(&reader, $0) }
        var first: [String: TextPosition] = [:]
        for entry in entries {
            let name = entry.value.entryName
            if let earlier = first[name] {
                reader.refuse(
                    "\(Entry.kind) \(name) is given twice, first in line \(earlier.line); give each its own name",
                    at: entry.position(of: "name")
                )
            } else {
                first[name] = entry.position(of: "name")
            }
        }
        return entries
    }
}

extension FleetDocument {
    /// Changes a fleet to what the file says, and tells the differences.
    ///
    /// With `prune`, whatever a list of the file does not name is removed. A user whose entry has no `password` keeps the
    /// one there is, so that a file without secrets can be applied. Throws a `FleetFileError` when the outcome
    /// contradicts itself; `fleet` is as it was then.
    @discardableResult
    public func apply(to fleet: inout Fleet, prune: Bool) throws(FleetFileError) -> [FleetChange] {
        let names = names(in: fleet, prune: prune)
        let old = fleet.part(names)
        // First out, then in: a hardware address may move from one node to another within one file.
        for name in names.nodes { fleet.remove(name) }
        if prune {
            for name in names.networks { fleet.remove(name) }
            for name in names.profiles { fleet.remove(name) }
            for name in names.users { fleet.remove(name) }
            for name in names.tags { fleet.remove(name) }
        }
        for network in networks ?? [] { fleet.set(network.value) }
        for profile in profiles ?? [] { fleet.set(profile.value) }
        for node in nodes ?? [] { fleet.set(node.value) }
        for tag in tags ?? [] { fleet.set(tag.value) }
        for entry in users ?? [] {
            var user = entry.value
            if entry.places["password"] == nil { user.password = old.users[user.name]?.password }
            fleet.set(user)
        }
        let problems = fleet.check()
        guard problems.isEmpty else {
            fleet.replace(names, by: old)
            // A wrong subnet makes a thousand nodes wrong; nobody reads a thousand lines of it.
            let located = problems.prefix(100).map { FleetFileProblem($0.description, at: place(of: $0)) }
            throw FleetFileError(located.sorted { $0.order < $1.order })
        }
        return FleetChange.between(old, fleet.part(names))
    }

    /// The entries that applying it may change: those it has, and with `prune` those of its kinds that it has not.
    private func names(in fleet: Fleet, prune: Bool) -> FleetNames {
        var names = FleetNames()
        names.networks = Set((networks ?? []).map(\.value.name))
        names.profiles = Set((profiles ?? []).map(\.value.name))
        names.nodes = Set((nodes ?? []).map(\.value.name))
        names.users = Set((users ?? []).map(\.value.name))
        names.tags = Set((tags ?? []).map(\.value.name))
        guard prune else { return names }
        if networks != nil { names.networks.formUnion(fleet.networks.keys) }
        if profiles != nil { names.profiles.formUnion(fleet.profiles.keys) }
        if nodes != nil { names.nodes.formUnion(fleet.nodes.keys) }
        if users != nil { names.users.formUnion(fleet.users.keys) }
        if tags != nil { names.tags.formUnion(fleet.tags.keys) }
        return names
    }

    /// Where the file says what a problem is about; nil when it is about something outside the file.
    private func place(of problem: FleetProblem) -> TextPosition? {
        place(of: problem, in: networks) ?? place(of: problem, in: profiles) ?? place(of: problem, in: nodes)
            ?? place(of: problem, in: users)
    }

    private func place(of problem: FleetProblem, in entries: [Located<some FleetEntry>]?) -> TextPosition? {
        guard
            let entry = entries?.first(where: { "\(type(of: $0.value).kind) \($0.value.entryName)" == problem.subject })
        else { return nil }
        guard let key = problem.key else { return entry.position }
        let field = entry.value.fields.first { $0.key == key }
        guard let value = problem.value, case .list(let values)? = field?.content else {
            return entry.position(of: key)
        }
        // The later of two equal elements is the one to remove.
        return entry.position(of: key, values.lastIndex { $0.mentions(value) } ?? 0)
    }
}

extension FleetFileProblem {
    /// In the order of the text, those without a place last.
    var order: (Int, Int) { position.map { ($0.line, $0.column) } ?? (.max, .max) }
}

extension FleetChange {
    /// Every difference between two fleets: networks, profiles, nodes, users, tags, each by name.
    public static func between(_ old: Fleet, _ new: Fleet) -> [FleetChange] {
        if let names = new.names(touchedSince: old) { return between(old.part(names), new.part(names)) }
        return between(sorted(old.networks), sorted(new.networks)) + between(sorted(old.profiles), sorted(new.profiles))
            + between(sorted(old.nodes), sorted(new.nodes)) + between(sorted(old.users), sorted(new.users))
            + between(sorted(old.tags), sorted(new.tags))
    }

    static func sorted<Key: Comparable, Entry>(_ entries: [Key: Entry]) -> [Entry] {
        entries.sorted { $0.key < $1.key }.map(\.value)
    }
}
