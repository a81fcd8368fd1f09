import BootModel
import NetworkTypes

/// What one entry of a fleet says under one key.
struct FleetField: Equatable {
    var key: String
    var content: SettingValue
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
    /// "network", "profile" or "node".
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
        return fields
    }
}

extension BootModel.Profile: FleetEntry {
    static var kind: String { "profile" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        let parents = inherits.isEmpty ? [] : [FleetField(key: "inherits", content: .texts(inherits.map(\.text)))]
        return parents + settings.fields
    }
}

extension BootModel.Node: FleetEntry {
    static var kind: String { "node" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if !macs.isEmpty { fields.append(FleetField(key: "mac", content: .texts(macs.map(\.description)))) }
        if let uuid { fields.append(FleetField(key: "uuid", content: .text(uuid.description))) }
        if let address { fields.append(FleetField(key: "address", content: .text(address.description))) }
        if !profiles.isEmpty { fields.append(FleetField(key: "profiles", content: .texts(profiles.map(\.text)))) }
        return fields + settings.fields
    }
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
                    fields.append(FleetField(key: key, content: value))
                }
            }
            if !pairs.isEmpty { fields.append(FleetField(key: key, content: .keys(pairs))) }
        }
        return fields
    }
}
