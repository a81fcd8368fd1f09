import BootModel
import CLinux
import DNS
import DNSServer
import Logging
import Netboot
import NetworkIO
public import NetworkTypes
import Synchronization

/// What the DNS server is started with.
public struct DNSSetup: Sendable {
    /// Where it listens, UDP and TCP.
    public var places: [Endpoint]
    /// Where names of others are asked.
    public var upstreams: [Endpoint]

    /// A setup from its parts; no address to listen on means every one.
    ///
    /// Nil when the port is 0, which is off.
    public init?(listen: [IPv4Address], port: UInt16, upstreams: [Endpoint]) {
        guard port != 0 else { return nil }
        places = (listen.isEmpty ? [.any] : listen).map { Endpoint($0, port) }
        self.upstreams = upstreams
    }
}

/// Answers DNS for the fleet, and follows it and its leases.
final class DNSService: Sendable {
    private let server: DNSServer
    private let authority: FleetAuthority
    private let following: any Observation

    var endpoints: [Endpoint] { server.endpoints }

    /// Throws `PortTaken`, `SystemCallError` or what the registry throws.
    init(
        _ setup: DNSSetup,
        registry: any NodeRegistry,
        leases: FollowedLeases,
        hostKeys: @escaping @Sendable (NodeName) -> [HostKeyFingerprint],
        clock: any BootModel.Clock,
        logger: Logger
    ) throws {
        let authority = FleetAuthority(hostKeys: hostKeys, leases: leases, clock: clock)
        self.authority = authority
        leases.follow { authority.take($0) }
        authority.rebuild(try registry.fleet())
        following = registry.observe { authority.rebuild($0) }
        do {
            server = try DNSServer(
                on: setup.places,
                authority: authority,
                options: DNSServerOptions(upstreams: setup.upstreams),
                logger: logger
            )
        } catch let error as PortTaken where error.number == EADDRINUSE && error.endpoint.address.isAny {
            throw SetupError(
                "\(error); systemd-resolved holds 127.0.0.53:53: name this server's own addresses in the configuration,"
                    + " as in 'dns: {listen: [10.0.0.1]}'"
            )
        }
        if setup.upstreams.isEmpty {
            logger.info("DNS: no upstreams are configured: names outside the fleet's domains are refused")
        }
    }

    func stop() {
        following.cancel()
        server.stop()
    }
}

/// The zones of the fleet as it is now.
private final class FleetAuthority: DNSAuthority {
    private let zones = Mutex(FleetZones(fleet: Fleet(), serial: 0))
    private let hostKeys: @Sendable (NodeName) -> [HostKeyFingerprint]
    private let leases: FollowedLeases
    private let clock: any BootModel.Clock

    init(
        hostKeys: @escaping @Sendable (NodeName) -> [HostKeyFingerprint],
        leases: FollowedLeases,
        clock: any BootModel.Clock
    ) {
        self.hostKeys = hostKeys
        self.leases = leases
        self.clock = clock
    }

    func rebuild(_ fleet: Fleet) {
        let interfaces = (try? NetworkInterface.all()) ?? []
        var addresses: [NetworkName: IPv4Address] = [:]
        for network in fleet.networks.values {
            addresses[network.name] =
                interfaces.first {
                    network.subnet.contains($0.address) && (network.interface ?? $0.name) == $0.name
                }?.address
        }
        // A lease that is written meanwhile is in the list that is read here, or comes by `take` afterwards.
        zones.withLock { zones in
            zones = FleetZones(
                fleet: fleet,
                leases: (try? leases.leases()) ?? [],
                hostKeys: hostKeys,
                serial: UInt32(truncatingIfNeeded: clock.now().seconds),
                serverName: Self.hostName,
                serverAddresses: addresses
            )
        }
    }

    func take(_ changes: [LeaseChange]) {
        zones.withLock { zones in
            for change in changes {
                switch change {
                case .set(let lease): zones.set(lease)
                case .remove(let address): zones.removeLease(of: address)
                }
            }
        }
    }

    private static var hostName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
        let text = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: ".").first.flatMap { NodeName(String($0)) }?.text
    }

    func answer(to question: DNSQuestion) -> AuthoritativeAnswer? {
        let now = clock.now()
        return zones.withLock { $0.answer(to: question, now: now) }
    }

    func shortAnswer(to question: DNSQuestion) -> AuthoritativeAnswer? {
        let now = clock.now()
        return zones.withLock { $0.shortAnswer(to: question, now: now) }
    }

    func serves(_ address: IPv4Address) -> Bool {
        address.value >> 24 == 127 || zones.withLock { $0.serves(address) }
    }
}

/// A lease store that tells what was written.
final class FollowedLeases: LeaseStore {
    private let base: any LeaseStore
    private let followers = Mutex<[@Sendable ([LeaseChange]) -> Void]>([])

    init(_ base: any LeaseStore) { self.base = base }

    /// Calls `handler` after each change, on the thread that wrote it.
    func follow(_ handler: @escaping @Sendable ([LeaseChange]) -> Void) { followers.withLock { $0.append(handler) } }

    func leases() throws -> [Lease] { try base.leases() }

    func commit(_ changes: [LeaseChange]) throws {
        try base.commit(changes)
        for handler in followers.withLock({ $0 }) { handler(changes) }
    }
}
