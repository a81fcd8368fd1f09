/// Two settings that cannot both hold, wherever each of them was said.
struct SettingConflict: Hashable {
    /// The outer key under which it is told: `root`.
    var key: String
    /// The element of a list that is meant.
    var value: String?
    /// What is wrong and how to mend it.
    var explanation: String
    /// The outer keys that it is between.
    var between: Set<String>

    init(_ key: String, value: String? = nil, between: Set<String>? = nil, _ explanation: String) {
        self.key = key
        self.value = value
        self.explanation = explanation
        self.between = between ?? [key]
    }

    /// Whether these settings say anything that it is about.
    func concerns(_ settings: Settings) -> Bool {
        Setting.all.contains { between.contains($0.outerKey) && $0.value(in: settings) != nil }
    }

    /// As a problem of a node or profile.
    func problem(of subject: String) -> FleetProblem {
        FleetProblem(subject, key: key, value: value, explanation)
    }
}

extension Fleet {
    /// What cannot hold together in the settings of one node.
    func conflicts(_ settings: EffectiveSettings) -> [SettingConflict] {
        var found: [SettingConflict] = []
        if let problem = settings.root.problem { found.append(SettingConflict("root", problem)) }
        if let problem = settings.rootServerProblem { found.append(SettingConflict("root", problem)) }
        found += pathConflicts(settings)
        if let name = settings.autologin?.value, users[name] != nil,
            !self.users(of: settings).contains(where: { $0.name == name })
        {
            found.append(
                SettingConflict(
                    "autologin",
                    value: name.text,
                    between: ["autologin", "users"],
                    "user \(name) may not log in there; name them in users, or give the user one of the node's profiles"
                )
            )
        }
        let entries = settings.menuEntries.value
        if let chosen = settings.menuDefault?.value, !entries.isEmpty, !entries.contains(chosen) {
            found.append(
                SettingConflict(
                    "menu",
                    "the default \(chosen) is not one of its entries: \(entries.map(\.description).joined(separator: ", "))"
                )
            )
        }
        return found
    }

    /// A path that is to be two things at once.
    private func pathConflicts(_ settings: EffectiveSettings) -> [SettingConflict] {
        var found: [SettingConflict] = []
        let mounts = settings.mounts.value
        let state = settings.state.value
        let volatile = settings.volatile.value
        if state.isEmpty, volatile.isEmpty { return [] }
        for path in state {
            if let other = volatile.first(where: path.isInside) {
                found.append(
                    SettingConflict(
                        "state",
                        value: path.text,
                        between: ["state", "volatile"],
                        "\(path) cannot be kept: \(other) is volatile; remove it from one of the lists"
                    )
                )
            }
            if let mount = mounts.first(where: { path.isInside($0.path) }) {
                found.append(
                    SettingConflict(
                        "state",
                        value: path.text,
                        between: ["state", "mounts"],
                        "\(path) cannot be kept: \(mount.path) is mounted there; remove it from one of the lists"
                    )
                )
            }
        }
        for path in volatile {
            guard let mount = mounts.first(where: { $0.path == path }) else { continue }
            found.append(
                SettingConflict(
                    "volatile",
                    value: path.text,
                    between: ["volatile", "mounts"],
                    "\(path) is volatile and \(mount.path) a mount; remove it from one of the lists"
                )
            )
        }
        return found
    }

    /// What is wrong with single values, and with lists that name something twice.
    func valueProblems(_ subject: String, _ settings: Settings) -> [FleetProblem] {
        guard settings != Settings() else { return [] }
        var found = (settings.kernelArguments ?? []).compactMap { argument in
            KernelArgument.problem(with: argument).map {
                FleetProblem(subject, key: "kernel-arguments", value: argument, "kernel argument \"\(argument)\" \($0)")
            }
        }
        found += twice(subject, "menu", settings.menuEntries)
        found += twice(subject, "mounts", settings.mounts?.map(\.path))
        found += twice(subject, "state", settings.state)
        found += twice(subject, "volatile", settings.volatile)
        found += twice(subject, "files", settings.files)
        found += twice(subject, "options", settings.options?.map { String($0.code) })
        found += twice(subject, "users", settings.users)
        return found
    }

    private func twice(
        _ subject: String,
        _ key: String,
        _ values: [some Hashable & CustomStringConvertible]?
    ) -> [FleetProblem] {
        guard let values, values.count > 1 else { return [] }
        var seen: Set<String> = []
        return values.map(\.description).filter { !seen.insert($0).inserted }.map {
            FleetProblem(subject, key: key, value: $0, "\(key) names \($0) twice; keep one")
        }
    }
}
