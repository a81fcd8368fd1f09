import NetworkTypes

/// One contradiction in a fleet, said so that a person can mend it.
public struct FleetProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it is about: "node megane" or "network lab".
    public var subject: String
    /// The key of the fleet file that says it, when one does: "address".
    public var key: String?
    /// The value under that key that is meant, when it has several: one pool of `pools`.
    public var value: String?
    /// What is wrong and how to mend it.
    public var explanation: String

    /// A problem from its parts.
    public init(_ subject: String, key: String? = nil, value: String? = nil, _ explanation: String) {
        self.subject = subject
        self.key = key
        self.value = value
        self.explanation = explanation
    }

    /// One line.
    public var description: String { "\(subject): \(explanation)" }
}

extension Fleet {
    /// Every contradiction in it, in a fixed order; empty when the fleet can be kept.
    public var problems: [FleetProblem] {
        networkProblems + profileProblems + nodeProblems
    }

    private var networkProblems: [FleetProblem] {
        var found: [FleetProblem] = []
        let sorted = networks.values.sorted { $0.name < $1.name }
        for (index, network) in sorted.enumerated() {
            let subject = "network \(network.name)"
            for pool in network.pools
            where !(network.subnet.containsHost(pool.first) && network.subnet.containsHost(pool.last)) {
                found.append(
                    FleetProblem(
                        subject,
                        key: "pools",
                        value: "\(pool)",
                        "pool \(pool) does not lie inside \(network.subnet)"
                    )
                )
            }
            for (position, pool) in network.pools.enumerated() {
                for other in network.pools[..<position] where pool.overlaps(other) {
                    found.append(
                        FleetProblem(
                            subject,
                            key: "pools",
                            value: "\(pool)",
                            "pools \(other) and \(pool) overlap; join them"
                        )
                    )
                }
            }
            if let router = network.router, !network.subnet.containsHost(router) {
                found.append(
                    FleetProblem(subject, key: "router", "router \(router) does not lie inside \(network.subnet)")
                )
            }
            if let domain = network.domain, !Self.isDomain(domain) {
                found.append(FleetProblem(subject, key: "domain", "\"\(domain)\" is not a domain such as lab.example"))
            }
            if !(60...4_294_967_294).contains(network.leaseSeconds) {
                found.append(
                    FleetProblem(
                        subject,
                        key: "lease",
                        "a lease of \(network.leaseSeconds) s is too short; give at least 60"
                    )
                )
            }
            for other in sorted[..<index]
            where network.subnet.contains(other.subnet.address) || other.subnet.contains(network.subnet.address) {
                found.append(
                    FleetProblem(
                        subject,
                        key: "subnet",
                        "subnet \(network.subnet) overlaps \(other.subnet) of network \(other.name)"
                    )
                )
            }
        }
        return found
    }

    /// Whether every DHCP client can take it: letters, digits, dashes and underscores between dots (RFC 1035 §2.3.4).
    private static func isDomain(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.unicodeScalars.allSatisfy {
                        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
                    }
            }
    }

    private var profileProblems: [FleetProblem] {
        profiles.values.sorted { $0.name < $1.name }.flatMap { profile in
            let subject = "profile \(profile.name)"
            let arguments = argumentProblems(subject, profile.settings)
            guard profile.settings.via != nil || profile.settings.writes != nil else { return arguments }
            let root = RootChoice(
                via: profile.settings.via ?? RootChoice.default.via,
                writes: profile.settings.writes ?? RootChoice.default.writes
            )
            return (root.problem.map { [FleetProblem(subject, key: "root", $0)] } ?? []) + arguments
        }
    }

    private func argumentProblems(_ subject: String, _ settings: Settings) -> [FleetProblem] {
        (settings.kernelArguments ?? []).compactMap { argument in
            KernelArgument.problem(with: argument).map {
                FleetProblem(subject, key: "kernel-arguments", value: argument, "kernel argument \"\(argument)\" \($0)")
            }
        }
    }

    private var nodeProblems: [FleetProblem] {
        var found: [FleetProblem] = []
        var owners: [String: NodeName] = [:]
        for node in nodes.values.sorted(by: { $0.name < $1.name }) {
            let subject = "node \(node.name)"
            func claim(_ key: String, _ value: String, _ mend: String) {
                let what = "\(key) \(value)"
                if let owner = owners[what] {
                    found.append(
                        FleetProblem(
                            subject,
                            key: key,
                            value: value,
                            "\(what) belongs to node \(owner) already; \(mend)"
                        )
                    )
                } else {
                    owners[what] = node.name
                }
            }
            if node.macs.isEmpty && node.uuid == nil {
                found.append(FleetProblem(subject, "has no mac; give the hardware address of its boot interface"))
            }
            for mac in node.macs {
                if mac.isMulticast {
                    found.append(
                        FleetProblem(subject, key: "mac", value: "\(mac)", "\(mac) is a group address, not a machine's")
                    )
                }
                claim("mac", "\(mac)", "remove it from one of them")
            }
            if let uuid = node.uuid { claim("uuid", "\(uuid)", "remove it from one of them") }
            if let address = node.address {
                claim("address", "\(address)", "give another one")
                if !networks.isEmpty, !networks.values.contains(where: { $0.subnet.containsHost(address) }) {
                    found.append(
                        FleetProblem(subject, key: "address", "address \(address) lies in no network's subnet")
                    )
                }
            }
            for name in node.profiles where profiles[name] == nil && name != .default {
                found.append(FleetProblem(subject, key: "profiles", value: "\(name)", "profile \(name) does not exist"))
            }
            found += argumentProblems(subject, node.settings)
            if let problem = effectiveSettings(for: node).root.problem {
                found.append(FleetProblem(subject, key: "root", problem))
            }
        }
        return found
    }
}
