import BootModel
import NetworkTypes

extension FleetReader {
    private static let networkKeys =
        [
            "name", "interface", "subnet", "dhcp", "pools", "router", "nameservers", "domain", "lease", "unknown-nodes",
        ] + NetworkTerms.keys

    /// One entry of `networks`; nil when it lacks what a network cannot be without.
    mutating func network(_ value: YAMLValue) -> Located<Network>? {
        guard let keys = keys(value, of: "network", known: Self.networkKeys) else { return nil }
        begin()
        let name: NetworkName? = name(keys["name"], "name")
        if keys["name"] == nil { refuse("a network needs a name", at: value.position) }
        let subnet = subnet(keys["subnet"])
        if keys["subnet"] == nil { refuse("a network needs a subnet such as 10.0.0.0/24", at: value.position) }
        let interface = text(keys["interface"], "interface")
        let dhcp: Network.DHCPMode? = word(keys["dhcp"], "dhcp")
        let pools: [IPv4Range]? = values(keys["pools"], "pools") {
            $0.value($1, "pools", "a range such as 10.0.0.128-10.0.0.254")
        }
        let router: IPv4Address? = self.value(keys["router"], "router", "an IPv4 address")
        let nameservers: [IPv4Address]? = values(keys["nameservers"], "nameservers") {
            $0.value($1, "nameservers", "an IPv4 address")
        }
        let domain = text(keys["domain"], "domain")
        let lease = duration(keys["lease"], "lease")
        let unknownNodes: Network.UnknownNodes? = word(keys["unknown-nodes"], "unknown-nodes")
        var terms = NetworkTerms()
        for key in NetworkTerms.keys {
            guard let value = keys[key] else { continue }
            read(key, value) { value throws(SettingError) in try terms.set(key, value) }
        }
        guard let name, let subnet else { return nil }
        var network = Network(name: name, subnet: subnet)
        network.interface = interface
        if let dhcp { network.dhcp = dhcp }
        network.pools = pools ?? []
        network.router = router
        network.nameservers = nameservers ?? []
        network.domain = domain
        if let lease { network.leaseSeconds = lease }
        if let unknownNodes { network.unknownNodes = unknownNodes }
        network.terms = terms
        return end(network, at: value.position)
    }

    /// A subnet; host bits that are set are named with the subnet that was meant.
    private mutating func subnet(_ value: YAMLValue?) -> IPv4Subnet? {
        guard let value, let text = text(value, "subnet") else { return nil }
        if let subnet = IPv4Subnet(text) { return subnet }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            let meant = IPv4Subnet(containing: address, prefixLength: length)
        {
            refuse("subnet \"\(text)\" is a machine's address; the subnet is \(meant)", at: value.position)
        } else {
            refuse("subnet \"\(text)\" is not a subnet such as 10.0.0.0/24", at: value.position)
        }
        return nil
    }

    /// A duration in seconds: `90s`, `30m`, `12h`, `7d`, or seconds alone.
    private mutating func duration(_ value: YAMLValue?, _ key: String) -> UInt32? {
        guard let value, let text = text(value, key) else { return nil }
        guard let seconds = LeaseDuration(text)?.seconds else {
            refuse("\(key) \"\(text)\" is not a time such as 90s, 30m, 12h or 7d", at: value.position)
            return nil
        }
        return seconds
    }
}
