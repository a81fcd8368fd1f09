public import NetworkTypes

/// The `dns` part of the server's configuration.
public struct NameServerConfiguration: Hashable, Sendable {
    /// The port of UDP and TCP; 0 is off.
    public var port: UInt16
    /// Our addresses that it listens on; every one when there is none.
    public var listen: [IPv4Address]
    /// Where names of others are asked, in this order.
    public var upstreams: [Endpoint]

    /// A configuration from its parts.
    public init(port: UInt16 = 53, listen: [IPv4Address] = [], upstreams: [Endpoint] = []) {
        self.port = port
        self.listen = listen
        self.upstreams = upstreams
    }
}

extension FleetReader {
    /// Reads `dns: {port, listen, upstreams}`.
    mutating func nameServer(_ value: YAMLValue?) -> NameServerConfiguration? {
        guard let value, let keys = keys(value, of: "dns entry", known: ["port", "listen", "upstreams"]) else {
            return nil
        }
        var configuration = NameServerConfiguration()
        configuration.port = self.value(keys["port"], "port", "a port between 1 and 65535, or 0 for off") ?? 53
        configuration.listen =
            values(keys["listen"], "listen") { reader, element in
                reader.value(element, "listen", "an IPv4 address of this computer")
            } ?? []
        configuration.upstreams =
            values(keys["upstreams"], "upstreams") { reader, element in
                let upstream: Upstream? = reader.value(
                    element,
                    "upstreams",
                    "a name server such as 9.9.9.9 or 10.0.0.1:5353"
                )
                return upstream?.endpoint
            } ?? []
        return configuration
    }

    /// An address with or without a port.
    private struct Upstream: LosslessStringConvertible {
        let endpoint: Endpoint
        var description: String { endpoint.description }

        init?(_ description: String) {
            let endpoint = IPv4Address(description).map { Endpoint($0, 53) } ?? Endpoint(description)
            guard let endpoint, endpoint.port > 0, !endpoint.address.isAny else { return nil }
            self.endpoint = endpoint
        }
    }
}
