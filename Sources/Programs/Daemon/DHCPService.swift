import BootModel
import DHCPServer
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Keeps a DHCP server running on the interfaces that the fleet's networks name, and follows the fleet as it changes.
final class DHCPService: Sendable {
    private struct State {
        var server: DHCPServer?
        var interfaces: [String] = []
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
    static func interfaces(of fleet: Fleet, among all: [NetworkInterface]) -> [String] {
        let served = fleet.networks.values.filter { $0.dhcp != .off }
        let names = served.flatMap { network in
            network.interface.map { [$0] } ?? all.filter { network.subnet.contains($0.address) }.map(\.name)
        }
        return Set(names).sorted()
    }

    /// Serves what the fleet asks for now; does nothing when that is what runs already.
    ///
    /// Throws `PortTaken` or `SystemCallError` when a socket cannot be had; then the old server goes on.
    func follow(_ fleet: Fleet, with server: DHCPServer.Ports) throws {
        let present = try NetworkInterface.all()
        let asked = Self.interfaces(of: fleet, among: present)
        let wanted = asked.filter { name in present.contains { $0.name == name } }
        try state.withLock { state in
            noteMissing(asked.filter { !wanted.contains($0) }, in: &state)
            guard !state.isStopped, wanted != state.interfaces else { return }
            var next: DHCPServer?
            if !wanted.isEmpty {
                let registry = registry
                next = try DHCPServer(
                    DHCPServer.Configuration(
                        interfaces: wanted,
                        httpPort: ports.http,
                        nbdPort: ports.nbd,
                        advertisesRouter: advertisesRouter,
                        fleet: { try registry.fleet() }
                    ),
                    ports: server,
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
                "interface \(name) does not exist or has no IPv4 address: nobody is answered there until the server starts again"
            )
        }
        state.missing = missing
    }

    /// Where it answers now.
    var interfaces: [String] { state.withLock(\.interfaces) }

    /// The lease of an address, ended ones included.
    func lease(of address: IPv4Address) -> Lease? { state.withLock(\.server)?.lease(of: address) }

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
