import BootModel
import NetworkTypes

extension FleetReader {
    /// One entry of `profiles`.
    mutating func profile(_ value: YAMLValue) -> Located<Profile>? {
        guard let keys = keys(value, of: "profile", known: ["name", "inherits", "selectors"] + Setting.outerKeys) else {
            return nil
        }
        begin()
        let name: ProfileName? = name(keys["name"], "name")
        if keys["name"] == nil { refuse("a profile needs a name", at: value.position) }
        let inherits: [ProfileName]? = values(keys["inherits"], "inherits") { $0.name($1, "inherits") }
        let selectors = selectors(keys["selectors"])
        let settings = settings(keys)
        guard let name else { return nil }
        let profile = Profile(name: name, inherits: inherits ?? [], selectors: selectors, settings: settings)
        return end(profile, at: value.position)
    }

    /// One entry of `nodes`.
    mutating func node(_ value: YAMLValue) -> Located<Node>? {
        let known = ["name", "mac", "uuid", "address", "profiles"] + DHCPIdentity.keys + Setting.outerKeys
        guard let keys = keys(value, of: "node", known: known) else { return nil }
        begin()
        let name: NodeName? = name(keys["name"], "name")
        if keys["name"] == nil { refuse("a node needs a name", at: value.position) }
        let macs: [MACAddress]? = values(keys["mac"], "mac") {
            $0.value($1, "mac", "a MAC address such as 52:54:00:12:34:56")
        }
        let uuid: MachineUUID? = self.value(keys["uuid"], "uuid", "a UUID such as 4c4c4544-0042-3510-8054-b4c04f4d3232")
        let address: IPv4Address? = self.value(keys["address"], "address", "an IPv4 address")
        let profiles: [ProfileName]? = values(keys["profiles"], "profiles") { $0.name($1, "profiles") }
        var identities: [DHCPIdentity] = []
        for key in DHCPIdentity.keys {
            guard let value = keys[key] else { continue }
            read(key, value) { value throws(SettingError) in identities += try DHCPIdentity.read(key, value) }
        }
        let settings = settings(keys)
        guard let name else { return nil }
        let node = Node(
            name: name,
            macs: macs ?? [],
            uuid: uuid,
            identities: identities,
            address: address,
            profiles: profiles ?? [],
            settings: settings
        )
        return end(node, at: value.position)
    }
}
