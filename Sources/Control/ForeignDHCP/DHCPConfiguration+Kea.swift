import BootModel
import NetworkTypes

extension DHCPConfiguration {
    /// `kea-dhcp4`'s file.
    var kea: String {
        let interfaces = places.compactMap(\.interface)
        let classes = places.flatMap(classes)
        let subnets = places.enumerated().map { subnet($1, number: $0 + 1) }
        return """
            // Made by 'diskless generate kea'. Machines get their addresses here and boot from diskless.
            // In diskless set 'dhcp: off' for these networks.
            { "Dhcp4": {
                "interfaces-config": { "interfaces": [\(Self.list(interfaces.isEmpty ? ["*"] : interfaces))] },
                "lease-database": { "type": "memfile", "persist": true },
                "authoritative": true,
                "client-classes": [
            \(classes.joined(separator: ",\n"))
                ],
                "subnet4": [
            \(subnets.joined(separator: ",\n"))
                ]
            } }

            """
    }

    private func classes(_ place: Place) -> [String] {
        let name = place.network.name.text
        let script = Self.bootClass("\(name)-ipxe", "option[77].hex == 'iPXE'", place, file: script(place))
        return [script]
            + Self.loaders.map { loader in
                let architecture = loader.architectures.map { "option[93].hex == \(Self.hex($0))" }
                    .joined(separator: " or ")
                let options =
                    loader.isHTTP
                    ? #", "option-data": [ { "name": "vendor-class-identifier", "data": "HTTPClient", "always-send": true } ]"#
                    : ""
                let test = "not (option[77].hex == 'iPXE') and (\(architecture))"
                return Self.bootClass("\(name)-\(loader.label)", test, place, file: file(loader, place), options)
            }
    }

    private static func bootClass(
        _ name: String,
        _ test: String,
        _ place: Place,
        file: String,
        _ options: String = ""
    ) -> String {
        """
                { "name": \(text(name)), "only-if-required": true, "test": \(text(test)),
                  "next-server": \(text("\(place.server.address)")), "boot-file-name": \(text(file))\(options) }
        """
    }

    private func subnet(_ place: Place, number: Int) -> String {
        let network = place.network
        let names = ["ipxe"] + Self.loaders.map(\.label)
        var options: [(String, String)] = []
        if let router = network.router { options.append(("routers", "\(router)")) }
        if !network.nameservers.isEmpty {
            options.append(("domain-name-servers", network.nameservers.map(\.description).joined(separator: ", ")))
        }
        if let domain = network.domain { options.append(("domain-name", domain)) }
        let data = options.map { "{ \"name\": \(Self.text($0.0)), \"data\": \(Self.text($0.1)) }" }
        let pools = network.pools.map { "{ \"pool\": \(Self.text("\($0.first) - \($0.last)")) }" }
        let nodes = nodes(on: network).map {
            "{ \"hw-address\": \(Self.text("\($0.mac)")), \"ip-address\": \(Self.text("\($0.address)")), "
                + "\"hostname\": \(Self.text("\($0.name)")) }"
        }
        return """
                    { "id": \(number), "subnet": \(Self.text("\(network.subnet)")), "valid-lifetime": \(network.leaseSeconds),
                      "require-client-classes": [\(Self.list(names.map { "\(network.name)-\($0)" }))],
                      "option-data": [\(data.joined(separator: ", "))],
                      "pools": [\(pools.joined(separator: ", "))],
                      "reservations": [\(nodes.joined(separator: ", "))] }
            """
    }

    private static func hex(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func list(_ texts: [String]) -> String { texts.map(text).joined(separator: ", ") }

    /// A JSON string; names of networks and nodes have no characters that need more.
    private static func text(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
