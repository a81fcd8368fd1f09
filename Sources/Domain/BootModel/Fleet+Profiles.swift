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
    /// `default`.
    public func effectiveSettings(for node: Node) -> EffectiveSettings {
        EffectiveSettings(
            layers: [(.node, node.settings)] + layers(profileOrder(node.profiles))
        )
    }

    /// What holds for a machine that has only this profile.
    func effectiveSettings(for profile: ProfileName) -> EffectiveSettings {
        EffectiveSettings(layers: layers(profileOrder([profile])))
    }

    private func layers(_ names: [ProfileName]) -> [(source: SettingSource, settings: Settings)] {
        names.compactMap { name in profiles[name].map { (.profile(name), $0.settings) } }
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
