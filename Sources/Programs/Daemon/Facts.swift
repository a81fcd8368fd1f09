import AdminAPI
import BootModel
import CLinux
import NetworkIO
import NetworkTypes

/// What the running server tells of itself to `diskless status` and `diskless explain`.
struct Facts: Sendable {
    let setup: ServerSetup
    let started: Timestamp
    let registry: any NodeRegistry
    let dhcp: DHCPService
    let exports: RootExports
    let dns: [Endpoint]
    /// Nil when NFS is not served.
    let trees: TreeExports?

    var now: ServerFacts {
        let interfaces = (try? NetworkInterface.all()) ?? []
        let networks = (try? registry.fleet().networks.values.sorted { $0.name < $1.name }) ?? []
        let served = networks.compactMap { network -> ServerFacts.ServedNetwork? in
            let interface = interfaces.first {
                network.interface == $0.name || (network.interface == nil && network.subnet.contains($0.address))
            }
            guard let interface else { return nil }
            return ServerFacts.ServedNetwork(
                network: network,
                interface: interface.name,
                server: ServerAddresses(
                    address: interface.address,
                    httpPort: setup.httpPort,
                    nbdPort: setup.nbdPort,
                    nfsPort: setup.nfsPort
                )
            )
        }
        var listeners = dhcp.interfaces.map { ServerFacts.Listener(service: "DHCP", place: "UDP 67 and 4011 on \($0)") }
        listeners += [
            ServerFacts.Listener(service: "TFTP", place: "UDP \(Endpoint(.any, 69))"),
            ServerFacts.Listener(service: "boot HTTP", place: "TCP \(Endpoint(.any, setup.httpPort))"),
            ServerFacts.Listener(service: "NBD", place: "TCP \(Endpoint(.any, setup.nbdPort))"),
        ]
        listeners += dns.map { ServerFacts.Listener(service: "DNS", place: "UDP and TCP \($0)") }
        if trees != nil {
            listeners.append(ServerFacts.Listener(service: "NFS", place: "TCP \(Endpoint(.any, setup.nfsPort))"))
        }
        let trees = trees?.connectedBoots.map { ServerFacts.ConnectedRoot(node: $0.node, image: $0.image) } ?? []
        return ServerFacts(
            version: setup.version,
            process: getpid(),
            started: started,
            stateDirectory: setup.state.path,
            networks: served,
            listeners: listeners,
            roots: exports.connectedRoots + trees.filter { !exports.connectedRoots.contains($0) }
        )
    }
}
