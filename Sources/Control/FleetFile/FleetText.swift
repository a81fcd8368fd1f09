public import BootModel

extension Fleet {
    /// The fleet as YAML, sorted by name, without secrets: a fleet file that makes exactly this fleet when it is applied
    /// with pruning where these users have their passwords already.
    public var fleetFile: String { fleetFile(withSecrets: false) }

    /// The fleet as YAML, sorted by name; with the hashes of passwords it makes exactly this fleet anywhere.
    public func fleetFile(withSecrets: Bool) -> String {
        section("networks", FleetChange.sorted(networks), withSecrets)
            + section("profiles", FleetChange.sorted(profiles), withSecrets)
            + section("nodes", FleetChange.sorted(nodes), withSecrets)
            + section("users", FleetChange.sorted(users), withSecrets)
            + section("tags", FleetChange.sorted(tags), withSecrets)
    }

    private func section(_ key: String, _ entries: [some FleetEntry], _ withSecrets: Bool) -> String {
        guard !entries.isEmpty else { return "\(key): []\n" }
        var text = "\(key):\n"
        for entry in entries {
            text += "  - name: \(YAMLScalar.written(entry.entryName))\n"
            for field in entry.fields where withSecrets || !field.isSecret {
                text += "    \(field.key): \(field.content.yaml)\n"
            }
            // A user whose entry says nothing of a password keeps theirs.
            if withSecrets, let user = entry as? User, user.password == nil { text += "    password: none\n" }
        }
        return text
    }
}
