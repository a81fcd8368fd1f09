import BootModel
import NetworkTypes

extension DHCPConfiguration {
    /// ISC dhcpd's file.
    var dhcpd: String {
        var lines = [
            "# Made by 'diskless generate dhcpd'. Machines get their addresses here and boot from diskless.",
            "# include it in dhcpd.conf, or use it as it is; in diskless set 'dhcp: off' for these networks.",
            "authoritative;",
            "option diskless-architecture code 93 = unsigned integer 16;",
        ]
        for place in places { lines += ["", "# network \(place.network.name)"] + subnet(place) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func subnet(_ place: Place) -> [String] {
        let network = place.network
        var lines = ["subnet \(network.subnet.address) netmask \(network.subnet.mask) {"]
        lines += network.pools.map { "    range \($0.first) \($0.last);" }
        if let router = network.router { lines.append("    option routers \(router);") }
        if !network.nameservers.isEmpty {
            let addresses = network.nameservers.map(\.description).joined(separator: ", ")
            lines.append("    option domain-name-servers \(addresses);")
        }
        if let domain = network.domain { lines.append("    option domain-name \"\(domain)\";") }
        lines += [
            "    default-lease-time \(network.leaseSeconds);", "    max-lease-time \(network.leaseSeconds);",
            "    next-server \(place.server.address);", "    if exists user-class and option user-class = \"iPXE\" {",
            "        filename \"\(script(place))\";",
        ]
        for loader in Self.loaders {
            let test = loader.architectures.map { "option diskless-architecture = \(Self.hex($0))" }
                .joined(separator: " or ")
            lines.append("    } elsif \(test) {")
            if loader.isHTTP { lines.append("        option vendor-class-identifier \"HTTPClient\";") }
            lines.append("        filename \"\(file(loader, place))\";")
        }
        lines += ["    }", "}"]
        for node in nodes(on: network) {
            lines += [
                "host \(node.name) {", "    hardware ethernet \(node.mac);", "    fixed-address \(node.address);",
                "    option host-name \"\(node.name)\";", "}",
            ]
        }
        return lines
    }

    private static func hex(_ number: UInt16) -> String {
        func two(_ byte: UInt16) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return "\(two(number >> 8)):\(two(number & 0xFF))"
    }

    /// dnsmasq's file.
    var dnsmasq: String {
        var lines = [
            "# Made by 'diskless generate dnsmasq'. Machines get their addresses here and boot from diskless.",
            "# Put it into /etc/dnsmasq.d; in diskless set 'dhcp: off' for these networks.",
            "dhcp-authoritative", "dhcp-userclass=set:ipxe,iPXE",
        ]
        for loader in Self.loaders {
            lines += loader.architectures.map { "dhcp-match=set:\(loader.label),option:client-arch,\($0)" }
            if loader.isHTTP { lines.append("dhcp-option-force=tag:\(loader.label),tag:!ipxe,60,HTTPClient") }
        }
        for place in places { lines += ["", "# network \(place.network.name)"] + range(place) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func range(_ place: Place) -> [String] {
        let network = place.network
        let tag = network.name.text
        var lines: [String] = []
        if let interface = place.interface { lines.append("interface=\(interface)") }
        let mask = network.subnet.mask
        lines += network.pools.map { "dhcp-range=set:\(tag),\($0.first),\($0.last),\(mask),\(network.leaseSeconds)" }
        // Without a pool only the machines below get an address.
        if network.pools.isEmpty { lines.append("dhcp-range=set:\(tag),\(network.subnet.address),static,\(mask)") }
        if let router = network.router { lines.append("dhcp-option=tag:\(tag),option:router,\(router)") }
        if !network.nameservers.isEmpty {
            let addresses = network.nameservers.map(\.description).joined(separator: ",")
            lines.append("dhcp-option=tag:\(tag),option:dns-server,\(addresses)")
        }
        if let domain = network.domain { lines.append("dhcp-option=tag:\(tag),option:domain-name,\(domain)") }
        lines.append("dhcp-boot=tag:\(tag),tag:ipxe,\(script(place)),,\(place.server.address)")
        for loader in Self.loaders {
            let tags = "tag:\(tag),tag:!ipxe,tag:\(loader.label)"
            lines.append("dhcp-boot=\(tags),\(file(loader, place)),,\(place.server.address)")
        }
        lines += nodes(on: network).map { "dhcp-host=\($0.mac),\($0.address),\($0.name)" }
        return lines
    }
}
