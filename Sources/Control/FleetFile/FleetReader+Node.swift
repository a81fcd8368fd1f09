import BootModel
import NetworkTypes

extension FleetReader {
    private static let settingsKeys = ["image", "root", "kernel-arguments"]

    /// One entry of `profiles`.
    mutating func profile(_ value: YAMLValue) -> Located<Profile>? {
        guard let keys = keys(value, of: "profile", known: ["name"] + Self.settingsKeys) else { return nil }
        begin()
        let name: ProfileName? = name(keys["name"], "name")
        if keys["name"] == nil { refuse("a profile needs a name", at: value.position) }
        let settings = settings(keys)
        guard let name else { return nil }
        return end(Profile(name: name, settings: settings), at: value.position)
    }

    /// One entry of `nodes`.
    mutating func node(_ value: YAMLValue) -> Located<Node>? {
        let known = ["name", "mac", "uuid", "address", "profiles"] + Self.settingsKeys
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
        let settings = settings(keys)
        guard let name else { return nil }
        let node = Node(
            name: name,
            macs: macs ?? [],
            uuid: uuid,
            address: address,
            profiles: profiles ?? [],
            settings: settings
        )
        return end(node, at: value.position)
    }

    /// The settings that profiles and nodes share.
    private mutating func settings(_ keys: [String: YAMLValue]) -> Settings {
        var settings = Settings()
        settings.image = value(keys["image"], "image", "an image: write debian, debian@7 or debian:tag")
        settings.kernelArguments = values(keys["kernel-arguments"], "kernel-arguments") {
            $0.text($1, "kernel-arguments")
        }
        guard let root = keys["root"] else { return settings }
        mark("root", root)
        guard
            let rootKeys = self.keys(root, of: "root", known: ["via", "writes"])
        else { return settings }
        settings.via = word(rootKeys["via"], "via")
        settings.writes = word(rootKeys["writes"], "writes")
        return settings
    }
}
