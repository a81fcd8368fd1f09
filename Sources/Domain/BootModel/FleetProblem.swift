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
    ///
    /// One that differs from a kept fleet in nodes and tags alone is asked about these nodes.
    public var problems: [FleetProblem] {
        guard lineage.isSettled, contested.isEmpty, case let touched = lineage.touched, touched.networks.isEmpty,
            touched.profiles.isEmpty, touched.users.isEmpty
        else { return networkProblems + profileProblems + nodeProblems(of: nodes.values) + userProblems }
        return nodeProblems(of: touched.nodes.compactMap { nodes[$0] })
    }

    var networkProblems: [FleetProblem] {
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
            found += termProblems(network)
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
}
