import BootModel
public import Mustache
import NetworkTypes

/// What the names in templates stand for; docs/guides/overlay-files.md lists them.
public enum OverlayContext {
    /// The values for one boot of a node; nothing in it is secret.
    public static func value(of boot: OverlayBoot) -> MustacheValue {
        var names = variables(boot.settings)
        // What the program says wins over variables of the same name; these are reached as variables.NAME.
        names["variables"] = .object(variables(boot.settings))
        names["settings"] = .object(settings(boot.settings))
        names["hostname"] = .text(boot.node.name.text)
        names["machine-id"] = .text(boot.identity.machineID)
        names["mac"] = .text(boot.mac.description)
        names["address"] = text(boot.address)
        names["domain"] = text(boot.network?.domain)
        names["node"] = .object([
            "name": .text(boot.node.name.text),
            "mac": .text(boot.mac.description),
            "macs": .list(boot.node.macs.map { .text($0.description) }),
            "uuid": text(boot.node.uuid),
            "address": text(boot.node.address),
            "profiles": .list(boot.node.profiles.map { .text($0.text) }),
        ])
        names["network"] = boot.network.map(network)
        names["image"] = boot.image.map { image in
            .object([
                "id": .text(image.id.description), "name": .text(image.id.name.text),
                "number": .number(image.id.number),
                "architecture": .text(image.architecture), "kernel": .text(image.kernelRelease),
            ])
        }
        names["server"] = boot.server.map { server in
            .object([
                "address": .text(server.address.description), "http-port": .number(server.httpPort),
                "nbd-port": .number(server.nbdPort),
            ])
        }
        let root = boot.settings.root
        names["root"] = .object([
            "via": .text(root.via.rawValue), "writes": .text(root.writes.rawValue),
            "is-in-memory": .boolean(root.writes == .ram || root.writes == .none),
        ])
        let timeServers = timeServers(boot.settings)
        names["time-servers"] = .list(timeServers.map { .text($0) })
        names["time-servers-text"] = .text(timeServers.joined(separator: " "))
        names["mounts"] = .list(boot.settings.mounts.value.map { mount($0, boot.server) })
        for (name, value) in identifiers(boot) { names[name] = .text(value) }
        return .object(names)
    }

    private static func text(_ value: (some CustomStringConvertible)?) -> MustacheValue {
        .text(value?.description ?? "")
    }

    private static func variables(_ settings: EffectiveSettings) -> [String: MustacheValue] {
        var values: [String: MustacheValue] = [:]
        for (name, variable) in settings.variables {
            values[name.text] =
                switch variable.value {
                case .truth(let truth): .boolean(truth)
                default: .text(variable.value.description)
                }
        }
        return values
    }

    /// Every setting that somebody said, by its key: `settings.root.via`, `settings.kernel-arguments`.
    private static func settings(_ settings: EffectiveSettings) -> [String: MustacheValue] {
        var values: [String: MustacheValue] = [:]
        for entry in settings.entries {
            guard let value = entry.value else { continue }
            let words = entry.key.split(separator: ".").map(String.init)
            guard words.count == 2, let outer = words.first, let inner = words.last else {
                values[entry.key] = self.value(value)
                continue
            }
            var group: [String: MustacheValue] = [:]
            if case .object(let members)? = values[outer] { group = members }
            group[inner] = self.value(value)
            values[outer] = .object(group)
        }
        return values
    }

    private static func value(_ setting: SettingValue) -> MustacheValue {
        switch setting {
        case .scalar("true", isPlain: true): .boolean(true)
        case .scalar("false", isPlain: true): .boolean(false)
        case .scalar(let text, _): .text(text)
        case .list(let elements): .list(elements.map(value))
        case .keys(let pairs):
            .object(Dictionary(pairs.map { ($0.key, value($0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func network(_ network: Network) -> MustacheValue {
        .object([
            "name": .text(network.name.text),
            "subnet": .text(network.subnet.description),
            "address": .text(network.subnet.address.description),
            "prefix": .number(network.subnet.prefixLength),
            "mask": .text(network.subnet.mask.description),
            "broadcast": .text(network.subnet.broadcast.description),
            "router": text(network.router),
            "nameservers": .list(network.nameservers.map { .text($0.description) }),
            "nameservers-text": .text(network.nameservers.map(\.description).joined(separator: " ")),
            "domain": text(network.domain),
        ])
    }

    /// The variable `time_servers`, else what DHCP option 42 (RFC 2132, 8.3) says.
    private static func timeServers(_ settings: EffectiveSettings) -> [String] {
        if let name = VariableName("time_servers"), let said = settings.variables[name] {
            return said.value.description.split { $0 == " " || $0 == "," }.map(String.init)
        }
        for option in settings.options.value where option.code == 42 {
            if case .addresses(let addresses) = option.content { return addresses.map(\.description) }
        }
        return []
    }

    /// A line of fstab(5), its blanks as `\040`; `noauto`, since the initramfs has mounted it before.
    private static func mount(_ mount: Mount, _ server: ServerAddresses?) -> MustacheValue {
        func field(_ text: String) -> String {
            text.replacing("\\", with: "\\134").replacing(" ", with: "\\040").replacing("#", with: "\\043")
        }
        var options: [String]
        let device: String
        let type: String
        switch mount {
        case .tmpfs(_, let size, let mode):
            device = "tmpfs"
            type = "tmpfs"
            options = ["noauto", "nosuid", "nodev", "mode=\(mode?.description ?? "755")"]
            if let size { options.append("size=\(size.bytes)") }
        case .nfs(let directory, _, let mode, let other, let version):
            // What this server exports for `mounts` lies there.
            let path = other == nil ? "/mounts\(directory.text)" : directory.text
            device = "\((other ?? server?.address)?.description ?? ""):\(field(path))"
            type = "nfs"
            // A server that is away must neither stop the boot nor lose what is written.
            options = ["noauto", mode.rawValue, "hard", "nofail", "_netdev", "vers=\(version.rawValue)"]
            if version == .v3 { options.append("nolock") }
            if other == nil, let port = server?.nfsPort {
                options.append("port=\(port)")
                if version == .v3 { options += ["mountport=\(port)", "mountproto=tcp"] }
            }
        }
        return .object([
            "device": .text(device), "at": .text(field(mount.path.text)), "type": .text(type),
            "options": .text(options.joined(separator: ",")),
        ])
    }

    /// The DHCP identifiers of the operating system in the forms that its programs read.
    private static func identifiers(_ boot: OverlayBoot) -> [String: String] {
        let digits = Array(boot.identity.dhcpUUID)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { String(digits[$0...($0 + 1)]) }
        let octal = (["00", "04"] + bytes).map { byte in
            let digits = String(UInt8(byte, radix: 16) ?? 0, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        // The identity association is the interface's: the lower half of its hardware address (RFC 8415, 11).
        return [
            "dhcp-uuid": boot.identity.dhcpUUID, "dhcp-uuid-colons": bytes.joined(separator: ":"),
            "dhcp-duid-octal": octal.joined(), "dhcp-iaid": String(boot.mac.value & 0xffff_ffff),
        ]
    }
}
