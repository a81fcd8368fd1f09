import BootModel
import DHCPServer
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Keeps a DHCP server running on the interfaces that the fleet's networks name, and follows the fleet as it changes.
final class DHCPService: Sendable {
    /// An interface to answer on.
    struct Place: Hashable, Comparable {
        var name: String
        var index: Int32
        static func < (left: Place, right: Place) -> Bool { (left.name, left.index) < (right.name, right.index) }
    }

    private struct State {
        var server: DHCPServer?
        /// What it answers on: the kernel's number too, which is another one when an interface was made anew.
        var interfaces: [Place] = []
        /// What networks name and this computer has not, or not with an address.
        var missing: [String] = []
        /// How many connections each connected machine has; told again to a server that replaces another.
        var held: [MACAddress: Int] = [:]
        var isStopped = false
    }

    private let registry: any NodeRegistry
    private let ports: (http: UInt16, nbd: UInt16)
    private let advertisesRouter: Bool
    private let logger: Logger
    private let state = Mutex(State())

    init(
        registry: any NodeRegistry,
        ports: (http: UInt16, nbd: UInt16),
        advertisesRouter: Bool,
        logger: Logger
    ) {
        self.registry = registry
        self.advertisesRouter = advertisesRouter
        self.ports = ports
        self.logger = logger
    }

    /// The interfaces that networks with DHCP are on: by name, else by the subnet of an interface's address.
    ///
    /// One without an IPv4 address is missing: it may get its address later, and nothing else must wait for it.
    static func places(of fleet: Fleet, among all: [NetworkInterface]) -> (found: [Place], missing: [String]) {
        let served = fleet.networks.values.filter { $0.dhcp != .off }
        let found = served.flatMap { network in
            all.filter {
                network.interface == $0.name || network.interface == nil && network.subnet.contains($0.address)
            }
        }
        let missing = Set(served.compactMap(\.interface)).subtracting(all.map(\.name))
        return (Set(found.map { Place(name: $0.name, index: $0.index) }).sorted(), missing.sorted())
    }

    /// Serves what the fleet asks for now; does nothing when that is what runs already.
    ///
    /// Throws `PortTaken` or `SystemCallError` when a socket cannot be had; then the old server goes on.
    func follow(_ fleet: Fleet, with server: DHCPServer.Ports) throws {
        let (wanted, missing) = Self.places(of: fleet, among: try NetworkInterface.all())
        try state.withLock { state in
            noteMissing(missing, in: &state)
            guard !state.isStopped, wanted != state.interfaces else { return }
            var next: DHCPServer?
            if !wanted.isEmpty {
                let registry = registry
                next = try DHCPServer(
                    DHCPServer.Configuration(
                        interfaces: wanted.map(\.name),
                        httpPort: ports.http,
                        nbdPort: ports.nbd,
                        advertisesRouter: advertisesRouter,
                        fleet: { try registry.fleet() }
                    ),
                    ports: server,
                    replacing: state.server,
                    log: logger
                )
            }
            // The old one has given its last address when `stop` returns; only then the leases are read anew.
            state.server?.stop()
            try next?.start()
            for (mac, count) in state.held { for _ in 0..<count { next?.hold(mac) } }
            state.server = next
            state.interfaces = wanted
        }
    }

    /// One card that is not there must not keep the others, and the roots of running nodes, from being served.
    private func noteMissing(_ missing: [String], in state: inout State) {
        for name in missing where !state.missing.contains(name) {
            logger.warning(
                "interface \(name) does not exist or has no IPv4 address: DHCP answers there once it has"
            )
        }
        state.missing = missing
    }

    /// Where it answers now.
    var interfaces: [String] { state.withLock { $0.interfaces.map(\.name) } }

    /// The lease of an address, ended ones included.
    func lease(of address: IPv4Address) -> Lease? { state.withLock(\.server)?.lease(of: address) }

    /// Every lease as the running server has it; nil when none runs.
    var leases: [Lease]? { state.withLock(\.server)?.leases }

    /// A machine's root was connected or disconnected: while one is, its address stays its own.
    func held(_ mac: MACAddress, isConnected: Bool) {
        state.withLock { state in
            if isConnected {
                state.held[mac, default: 0] += 1
                state.server?.hold(mac)
            } else if let count = state.held[mac] {
                state.held[mac] = count > 1 ? count - 1 : nil
                state.server?.letGo(mac)
            }
        }
    }

    /// Ends it for good.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.server?.stop()
            state.server = nil
        }
    }
}
