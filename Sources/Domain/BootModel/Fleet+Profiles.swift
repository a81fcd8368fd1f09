extension Fleet {
    /// How many levels of profiles may inherit each other; far more than anybody overlooks.
    static let inheritanceLimit = 64

    /// The order in which profiles are asked: each of `names` before what it inherits, in the order they are named.
    ///
    /// A profile that is reached twice is asked once, after everything that inherits it; `default` is asked last unless
    /// it is named. Profiles that do not exist are left out, and a cycle is cut: `problems` tells of both.
    public func profileOrder(_ names: [ProfileName]) -> [ProfileName] {
        // Most fleets inherit nothing, and this runs for every request.
        if names.isEmpty, profiles[.default]?.inherits.isEmpty ?? true {
            return profiles[.default] == nil ? [] : [.default]
        }
        var finished: [ProfileName] = []
        var visited: Set<ProfileName> = []
        func visit(_ name: ProfileName, _ depth: Int = 0) {
            guard depth <= Self.inheritanceLimit, let profile = profiles[name], visited.insert(name).inserted else {
                return
            }
            for parent in profile.inherits.reversed() { visit(parent, depth + 1) }
            finished.append(name)
        }
        // Backwards, so that what comes first in the list is finished last; then the whole is turned round.
        let isNamed = reaches(.default, from: names)
        if !isNamed { visit(.default) }
        for name in names.reversed() { visit(name) }
        return finished.reversed()
    }

    private func reaches(_ wanted: ProfileName, from names: [ProfileName]) -> Bool {
        var waiting = names
        var seen: Set<ProfileName> = []
        while let name = waiting.popLast() {
            if name == wanted { return true }
            if seen.insert(name).inserted { waiting += profiles[name]?.inherits ?? [] }
        }
        return false
    }

    /// What holds for a node: its own settings, its profiles' in order, each before what it inherits, then those of
    /// profiles that apply themselves to its machine, then those of `default`.
    ///
    /// Without `machine`, what the node itself says is all that is known of it.
    public func effectiveSettings(for node: Node, machine: MachineFacts? = nil) -> EffectiveSettings {
        let chain = profileChain(of: node, machine: machine)
        return EffectiveSettings(
            layers: [(.node, node.settings)] + layers(chain.map(\.name)),
            profiles: chain
        )
    }

    /// What holds for a machine that has only this profile.
    func effectiveSettings(for profile: ProfileName) -> EffectiveSettings {
        EffectiveSettings(layers: layers(profileOrder([profile])))
    }

    func layers(_ names: [ProfileName]) -> [(source: SettingSource, settings: Settings)] {
        names.compactMap { name in profiles[name].map { (.profile(name), $0.settings) } }
    }

    /// The profiles of a node in the order they are asked, each with why it is one of them.
    public func profileChain(of node: Node, machine: MachineFacts? = nil) -> [ProfileLink] {
        let applied = applyingThemselves(to: MachineFacts(node).overridden(by: machine))
        let selectors = Dictionary(applied, uniquingKeysWith: { first, _ in first })
        let added = applied.map(\.name).filter { !node.profiles.contains($0) }
        return profileOrder(node.profiles + added).map { name in
            if node.profiles.contains(name) { return ProfileLink(name, .named) }
            if let selector = selectors[name] { return ProfileLink(name, .selector(selector)) }
            return ProfileLink(name, name == .default ? .everyNode : .inherited)
        }
    }

    /// The profiles that apply themselves to a machine: of several, the one whose matching selector has more
    /// conditions comes first, of equal ones the one whose name sorts first.
    private func applyingThemselves(to machine: MachineFacts) -> [(name: ProfileName, selector: ProfileSelector)] {
        guard !selecting.isEmpty else { return [] }
        let matching = selecting.compactMap { name -> (name: ProfileName, selector: ProfileSelector)? in
            let best = profiles[name]?.selectors.filter { $0.matches(machine) }.max { $0.count < $1.count }
            return best.map { (name, $0) }
        }
        return matching.sorted { ($1.selector.count, $0.name) < ($0.selector.count, $1.name) }
    }

    /// Why what a profile inherits makes no sense, in one line; nil when it does.
    func inheritanceProblem(of name: ProfileName) -> String? {
        var way: [ProfileName] = []
        var seen: Set<ProfileName> = []
        var isTooDeep = false
        func leadsBack(_ current: ProfileName) -> Bool {
            way.append(current)
            for parent in profiles[current]?.inherits ?? [] {
                if parent == name { return true }
                if way.count > Self.inheritanceLimit {
                    isTooDeep = true
                } else if seen.insert(parent).inserted, leadsBack(parent) {
                    return true
                }
            }
            way.removeLast()
            return false
        }
        if leadsBack(name) {
            let names = (way + [name]).map(\.text).joined(separator: " -> ")
            return "inherits itself (\(names)); remove one of them"
        }
        return isTooDeep ? "inherits over more than \(Self.inheritanceLimit) levels; join some of the profiles" : nil
    }
}
