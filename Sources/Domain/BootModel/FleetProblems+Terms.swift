import NetworkTypes

extension Fleet {
    /// What is wrong with what a network says beyond its addresses.
    func termProblems(_ network: Network) -> [FleetProblem] {
        let subject = "network \(network.name)"
        var found: [FleetProblem] = []
        for route in network.terms.routes where !network.subnet.containsHost(route.router) {
            found.append(
                FleetProblem(
                    subject,
                    key: "routes",
                    "the router \(route.router) of the route to \(route.subnet) does not lie inside \(network.subnet)"
                )
            )
        }
        for relay in network.terms.relays {
            for other in networks.values where other.name < network.name && other.terms.relays.contains(relay) {
                found.append(
                    FleetProblem(
                        subject,
                        key: "relays",
                        value: "\(relay)",
                        "relay \(relay) belongs to network \(other.name) already; remove it from one of them"
                    )
                )
            }
        }
        for options in [network.terms.options] + network.terms.matches.map(\.options) {
            var settings = Settings()
            settings.options = options
            found += valueProblems(subject, settings)
        }
        return found
    }
}
