import NetworkTypes

extension Fleet {
    var profileProblems: [FleetProblem] {
        profiles.values.sorted { $0.name < $1.name }.flatMap { profile in
            let subject = "profile \(profile.name)"
            var found: [FleetProblem] = []
            for name in profile.inherits where profiles[name] == nil && name != .default {
                found.append(
                    FleetProblem(subject, key: "inherits", value: "\(name)", unknown(profile: name))
                )
            }
            if let problem = inheritanceProblem(of: profile.name) {
                found.append(FleetProblem(subject, key: "inherits", problem))
            }
            found += unknownUsers(subject, profile.settings)
            if found.isEmpty, profile.settings != Settings() {
                let effective = effectiveSettings(for: profile.name)
                found += conflicts(effective).filter { $0.concerns(profile.settings) }.map { $0.problem(of: subject) }
            }
            return found + valueProblems(subject, profile.settings)
        }
    }

    /// What is wrong with these nodes; two that name one thing are told only when all nodes are asked about.
    func nodeProblems(of nodes: some Collection<Node>) -> [FleetProblem] {
        var found: [FleetProblem] = []
        var owners: [String: NodeName] = [:]
        // Without a contest there is nothing to find, and most fleets have none.
        let isContested = !contested.isEmpty
        // Most nodes of a large fleet say nothing themselves: what their profiles say is looked at once.
        var known: [[ProfileName]: [SettingConflict]] = [:]
        var shared: [[ProfileName]: [(source: SettingSource, settings: Settings)]] = [:]
        for node in nodes.sorted(by: { $0.name < $1.name }) {
            let subject = "node \(node.name)"
            func claim(_ key: String, _ value: @autoclosure () -> String, _ mend: String) {
                guard isContested else { return }
                let value = value()
                let what = "\(key) \(value)"
                if let owner = owners[what] {
                    found.append(
                        FleetProblem(
                            subject,
                            key: key,
                            value: value,
                            "\(what) belongs to node \(owner) already; \(mend)"
                        )
                    )
                } else {
                    owners[what] = node.name
                }
            }
            if node.macs.isEmpty && node.uuid == nil && node.identities.isEmpty {
                found.append(FleetProblem(subject, "has no mac; give the hardware address of its boot interface"))
            }
            for mac in node.macs {
                if mac.isMulticast {
                    found.append(
                        FleetProblem(subject, key: "mac", value: "\(mac)", "\(mac) is a group address, not a machine's")
                    )
                }
                claim("mac", "\(mac)", "remove it from one of them")
            }
            for identity in node.identities {
                claim(identity.key, identity.words, "remove it from one of them")
            }
            if let uuid = node.uuid { claim("uuid", "\(uuid)", "remove it from one of them") }
            if let address = node.address {
                claim("address", "\(address)", "give another one")
                if !networks.isEmpty, !networks.values.contains(where: { $0.subnet.containsHost(address) }) {
                    found.append(
                        FleetProblem(subject, key: "address", "address \(address) lies in no network's subnet")
                    )
                }
            }
            for name in node.profiles where profiles[name] == nil && name != .default {
                found.append(FleetProblem(subject, key: "profiles", value: "\(name)", unknown(profile: name)))
            }
            found += unknownUsers(subject, node.settings)
            found += valueProblems(subject, node.settings)
            if node.settings == Settings(), selecting.isEmpty, let conflicts = known[node.profiles] {
                found += conflicts.map { $0.problem(of: subject) }
            } else {
                var layers = shared[node.profiles]
                if layers == nil || !selecting.isEmpty {
                    layers = self.layers(profileChain(of: node).map(\.name))
                    shared[node.profiles] = layers
                }
                let effective = EffectiveSettings(layers: [(.node, node.settings)] + (layers ?? []))
                let conflicts = conflicts(effective)
                if node.settings == Settings() { known[node.profiles] = conflicts }
                found += conflicts.map { $0.problem(of: subject) }
            }
        }
        return found
    }

    private func unknownUsers(_ subject: String, _ settings: Settings) -> [FleetProblem] {
        (settings.users ?? []).filter { users[$0] == nil }.map { name in
            let nearest = NearestName.of(name.text, among: users.keys.lazy.map(\.text))
            let mend = nearest.map { "; did you mean \($0)?" } ?? ""
            return FleetProblem(subject, key: "users", value: "\(name)", "user \(name) does not exist\(mend)")
        }
    }

    func unknown(profile name: ProfileName) -> String {
        let nearest = NearestName.of(name.text, among: profiles.keys.lazy.map(\.text))
        return "profile \(name) does not exist" + (nearest.map { "; did you mean \($0)?" } ?? "")
    }
}
