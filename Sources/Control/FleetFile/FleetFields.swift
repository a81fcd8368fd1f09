import BootModel
import NetworkTypes

/// What one entry of a fleet says under one key.
struct FleetField: Equatable {
    var key: String
    var content: SettingValue
    /// Whether only an export that was asked for secrets may show it.
    var isSecret = false

    /// When a change of it reaches nodes that run; nil for what is no setting of theirs.
    var effect: SettingEffect?

    /// The value in a difference.
    var shown: String { isSecret ? "(hidden)" : content.yaml }
}

extension SettingValue {
    /// A list of texts.
    static func texts(_ texts: [String]) -> SettingValue { .list(texts.map(SettingValue.text)) }

    /// The value as YAML, on one line.
    var yaml: String {
        switch self {
        case .scalar(let text, let isPlain): isPlain ? text : YAMLScalar.written(text)
        case .list(let elements): "[\(elements.map(\.yaml).joined(separator: ", "))]"
        case .keys(let pairs):
            "{\(pairs.map { "\(YAMLScalar.written($0.key)): \($0.value.yaml)" }.joined(separator: ", "))}"
        }
    }
}

/// An entry of a fleet as its fields in the order they are written; export and diff both read it.
protocol FleetEntry: Hashable, Sendable {
    /// "network", "profile", "node", "user" or "tag".
    static var kind: String { get }
    /// The name by which two entries are the same one.
    var entryName: String { get }
    /// Everything else that it says.
    var fields: [FleetField] { get }
}

extension BootModel.Network: FleetEntry {
    static var kind: String { "network" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if let interface { fields.append(FleetField(key: "interface", content: .text(interface))) }
        fields.append(FleetField(key: "subnet", content: .text(subnet.description)))
        fields.append(FleetField(key: "dhcp", content: .text(dhcp.rawValue)))
        if !pools.isEmpty { fields.append(FleetField(key: "pools", content: .texts(pools.map(\.description)))) }
        if let router { fields.append(FleetField(key: "router", content: .text(router.description))) }
        if !nameservers.isEmpty {
            fields.append(FleetField(key: "nameservers", content: .texts(nameservers.map(\.description))))
        }
        if let domain { fields.append(FleetField(key: "domain", content: .text(domain))) }
        fields.append(FleetField(key: "lease", content: .text(LeaseDuration(seconds: leaseSeconds).description)))
        fields.append(FleetField(key: "unknown-nodes", content: .text(unknownNodes.rawValue)))
        return fields + terms.pairs.map { FleetField(key: $0.key, content: $0.value) }
    }
}

extension BootModel.Profile: FleetEntry {
    static var kind: String { "profile" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if !inherits.isEmpty { fields.append(FleetField(key: "inherits", content: .texts(inherits.map(\.text)))) }
        if !selectors.isEmpty { fields.append(FleetField(key: "selectors", content: selectors.setting)) }
        return fields + settings.fields
    }
}

extension BootModel.Node: FleetEntry {
    static var kind: String { "node" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if !macs.isEmpty { fields.append(FleetField(key: "mac", content: .texts(macs.map(\.description)))) }
        if let uuid { fields.append(FleetField(key: "uuid", content: .text(uuid.description))) }
        for key in DHCPIdentity.keys {
            let values = identities.filter { $0.key == key }.map(\.setting)
            if !values.isEmpty { fields.append(FleetField(key: key, content: .list(values))) }
        }
        if let address { fields.append(FleetField(key: "address", content: .text(address.description))) }
        if !profiles.isEmpty { fields.append(FleetField(key: "profiles", content: .texts(profiles.map(\.text)))) }
        return fields + settings.fields
    }
}

extension BootModel.User: FleetEntry {
    static var kind: String { "user" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields = [FleetField(key: "uid", content: .scalar(String(uid), isPlain: true))]
        if !groups.isEmpty { fields.append(FleetField(key: "groups", content: .texts(groups.map(\.text)))) }
        if let fullName { fields.append(FleetField(key: "full-name", content: .text(fullName))) }
        if shell != Self.defaultShell { fields.append(FleetField(key: "shell", content: shell.setting)) }
        if home != Self.defaultHome(of: name) { fields.append(FleetField(key: "home", content: home.setting)) }
        if let password {
            fields.append(FleetField(key: "password", content: .text(password.secret), isSecret: true))
        }
        if !sshKeys.isEmpty { fields.append(FleetField(key: "ssh-keys", content: sshKeys.setting)) }
        if !profiles.isEmpty { fields.append(FleetField(key: "profiles", content: .texts(profiles.map(\.text)))) }
        return fields
    }
}

extension BootModel.ImageTag: FleetEntry {
    static var kind: String { "tag" }
    var entryName: String { name.description }
    var fields: [FleetField] { [FleetField(key: "version", content: .scalar(String(number), isPlain: true))] }
}

extension BootModel.Settings {
    /// The settings as fields, those inside one outer key as one field; what is not said is left out.
    var fields: [FleetField] {
        guard self != BootModel.Settings() else { return [] }
        var fields: [FleetField] = []
        for key in Setting.outerKeys {
            var pairs: [SettingValue.Pair] = []
            for setting in Setting.inside(key) {
                guard let value = setting.value(in: self) else { continue }
                if let inner = setting.innerKey {
                    pairs.append(SettingValue.Pair(inner, value))
                } else {
                    fields.append(FleetField(key: key, content: value, effect: setting.effect))
                }
            }
            if !pairs.isEmpty {
                let effect = Setting.inside(key).first?.effect
                fields.append(FleetField(key: key, content: .keys(pairs), effect: effect))
            }
        }
        return fields
    }
}
