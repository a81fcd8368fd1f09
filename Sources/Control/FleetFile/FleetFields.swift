import BootModel
import NetworkTypes

/// What one entry of a fleet says under one key.
struct FleetField: Equatable {
    /// A value as it is written.
    enum Content: Equatable {
        case text(String)
        case list([String])
        case keys([(String, String)])

        static func == (left: Content, right: Content) -> Bool {
            switch (left, right) {
            case (.text(let left), .text(let right)): left == right
            case (.list(let left), .list(let right)): left == right
            case (.keys(let left), .keys(let right)):
                left.count == right.count && zip(left, right).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
            default: false
            }
        }

        /// The value as YAML, on one line.
        var yaml: String {
            switch self {
            case .text(let text): YAMLScalar.written(text)
            case .list(let texts): "[\(texts.map(YAMLScalar.written).joined(separator: ", "))]"
            case .keys(let pairs): "{\(pairs.map { "\($0.0): \(YAMLScalar.written($0.1))" }.joined(separator: ", "))}"
            }
        }
    }

    var key: String
    var content: Content
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
        if !pools.isEmpty { fields.append(FleetField(key: "pools", content: .list(pools.map(\.description)))) }
        if let router { fields.append(FleetField(key: "router", content: .text(router.description))) }
        if !nameservers.isEmpty {
            fields.append(FleetField(key: "nameservers", content: .list(nameservers.map(\.description))))
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
    var fields: [FleetField] { settings.fields }
}

extension BootModel.Node: FleetEntry {
    static var kind: String { "node" }
    var entryName: String { name.text }
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if !macs.isEmpty { fields.append(FleetField(key: "mac", content: .list(macs.map(\.description)))) }
        if let uuid { fields.append(FleetField(key: "uuid", content: .text(uuid.description))) }
        if let address { fields.append(FleetField(key: "address", content: .text(address.description))) }
        if !profiles.isEmpty { fields.append(FleetField(key: "profiles", content: .list(profiles.map(\.text)))) }
        return fields + settings.fields
    }
}

extension BootModel.Settings {
    /// The settings as fields; what is not said is left out.
    var fields: [FleetField] {
        var fields: [FleetField] = []
        if let image { fields.append(FleetField(key: "image", content: .text(image.description))) }
        var root: [(String, String)] = []
        if let via { root.append(("via", via.rawValue)) }
        if let writes { root.append(("writes", writes.rawValue)) }
        if !root.isEmpty { fields.append(FleetField(key: "root", content: .keys(root))) }
        if let kernelArguments { fields.append(FleetField(key: "kernel-arguments", content: .list(kernelArguments))) }
        return fields
    }
}
