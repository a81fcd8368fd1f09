import CLinux
public import NetworkTypes

/// A virtual network on this computer: a server, machines without a disk, and whatever else a test wants on it.
///
/// Everything lives in network namespaces of its own and in one directory; `close()`, the end of the process and
/// Ctrl-C remove all of it. The names carry the process's id, so what a killed process left is removed by the next lab.
public final class Lab: Sendable {
    /// What names every namespace of every lab.
    static let prefix = "diskless-lab-"

    /// The network's addresses.
    public let subnet: IPv4Subnet
    /// Where logs, sockets and firmware variables lie.
    public let directory: String
    /// The computer that has the network's bridge, `br0`, and the subnet's first address.
    public let server: LabHost

    private let name: String
    private let keepsDirectory: Bool
    private let members = Monitor(Members())

    private struct Members {
        var hosts: [LabHost] = []
        var machines: [VirtualMachine] = []
        var taps = 0
        var closed = false
        var actions: [@Sendable () -> Void] = []
    }

    /// Makes the network.
    ///
    /// - Parameters:
    ///   - label: a short word for the namespaces' names.
    ///   - subnet: its addresses, by default 10.77.0.0/24.
    ///   - directory: where the logs go and stay; nil for a temporary directory that goes with the lab.
    public init(_ label: String = "lab", subnet: IPv4Subnet? = nil, directory: String? = nil) throws {
        if let obstacle = labObstacle() { throw LabError(obstacle) }
        removeStaleLabs()
        let number = labCounter.update { counter in
            counter += 1
            return counter
        }
        name = "\(Self.prefix)\(label)-\(getpid())-\(number)"
        guard let subnet = subnet ?? IPv4Subnet("10.77.0.0/24") else { throw LabError("no subnet") }
        self.subnet = subnet
        keepsDirectory = directory != nil
        self.directory = directory ?? "/tmp/\(name)"
        try makeDirectories(self.directory)
        server = try LabHost(
            namespace: name,
            interface: "br0",
            address: IPv4Address(value: subnet.address.value + 1)
        )
        members.update { $0.hosts.append(server) }
        openLabs.update { $0.append(self) }
        closeLabsOnSignals()
        do {
            try server.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0")
            try server.ip("addr", "add", "\(server.address)/\(subnet.prefixLength)", "dev", "br0")
            try server.ip("link", "set", "br0", "up")
        } catch {
            close()
            throw error
        }
    }

    /// Adds a computer with an address: a namespace whose `eth0` is on the network.
    public func host(_ label: String, address: IPv4Address?, mac: MACAddress? = nil) throws -> LabHost {
        let host = try LabHost(namespace: "\(name)-\(label)", interface: "eth0", address: address ?? subnet.address)
        members.update { $0.hosts.append(host) }
        try server.ip("link", "add", label, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        try server.ip("link", "set", label, "master", "br0", "up")
        if let mac { try host.ip("link", "set", "eth0", "address", "\(mac)") }
        if let address { try host.ip("addr", "add", "\(address)/\(subnet.prefixLength)", "dev", "eth0") }
        try host.ip("link", "set", "eth0", "up")
        return host
    }

    /// Adds a router: a computer with an address on the network, behind which lies another one, bridge `br0` of its own
    /// namespace with the first address of `far`.
    public func router(_ label: String, address: IPv4Address, far: IPv4Subnet) throws -> LabHost {
        let router = try host(label, address: address)
        let first = IPv4Address(value: far.address.value + 1)
        try router.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0")
        try router.ip("addr", "add", "\(first)/\(far.prefixLength)", "dev", "br0")
        try router.ip("link", "set", "br0", "up")
        try router.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        try server.ip("route", "add", "\(far)", "via", "\(address)")
        return router
    }

    /// Makes a machine and plugs it into the network, or into the one behind a router; it is off until
    /// ``VirtualMachine/powerOn()``.
    public func machine(_ machine: Machine, behind router: LabHost? = nil) throws -> VirtualMachine {
        let tap = members.update { members in
            members.taps += 1
            return "tap\(members.taps)"
        }
        let host = router ?? server
        try host.ip("tuntap", "add", tap, "mode", "tap")
        try host.ip("link", "set", tap, "master", "br0", "up")
        let virtual = VirtualMachine(machine, host: host, tap: tap, directory: directory)
        members.update { $0.machines.append(virtual) }
        return virtual
    }

    /// Captures what passes the network into a pcap file until the lab closes or the process is stopped.
    public func capture(to path: String, filter: [String] = []) throws -> LabProcess {
        let dump = try server.start(
            ["tcpdump", "-i", "br0", "-U", "-Z", "root", "--immediate-mode", "-w", path] + filter
        )
        try dump.output.wait(for: "listening on", limit: .seconds(10))
        return dump
    }

    /// Runs `action` when the lab closes, after everything in it was stopped; also when a signal ends the process.
    public func atClose(_ action: @escaping @Sendable () -> Void) { members.update { $0.actions.append(action) } }

    /// Turns the machines off, stops every program and removes the namespaces and the temporary directory.
    public func close() {
        let members = members.update { members in
            defer { members.closed = true }
            return members.closed ? Members() : members
        }
        for machine in members.machines { machine.powerOff() }
        for host in members.hosts.reversed() { host.close() }
        for action in members.actions { action() }
        if !keepsDirectory { removeTree(directory) }
        openLabs.update { labs in labs.removeAll { $0 === self } }
    }
}

/// Labs of this process that are open, for the signal handler and the end of the process.
let openLabs = Monitor<[Lab]>([])
private let labCounter = Monitor(0)

/// Makes a directory and those above it.
func makeDirectories(_ path: String) throws {
    var partial = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        partial += "/\(part)"
        guard unsafe mkdir(partial, 0o755) == 0 || clinux_errno() == EEXIST else {
            throw LabError("cannot make the directory \(partial) (error \(clinux_errno()))")
        }
    }
}

/// Removes a directory of a lab; anything else is left alone.
func removeTree(_ path: String) {
    guard path.hasPrefix("/tmp/\(Lab.prefix)") else { return }
    _ = try? runHere("rm", "-rf", "--", path)
}
