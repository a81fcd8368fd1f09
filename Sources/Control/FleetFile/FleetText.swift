public import BootModel

extension Fleet {
    /// The fleet as YAML, sorted by name: a fleet file that makes exactly this fleet when it is applied with pruning.
    public var fleetFile: String {
        section("networks", FleetChange.sorted(networks)) + section("profiles", FleetChange.sorted(profiles))
            + section("nodes", FleetChange.sorted(nodes))
    }

    private func section(_ key: String, _ entries: [some FleetEntry]) -> String {
        guard !entries.isEmpty else { return "\(key): []\n" }
        var text = "\(key):\n"
        for entry in entries {
            text += "  - name: \(YAMLScalar.written(entry.entryName))\n"
            for field in entry.fields { text += "    \(field.key): \(field.content.yaml)\n" }
        }
        return text
    }
}
