import BootModel
import NetworkTypes

/// Answers loaders that ask what to start, whatever the loader and the protocol.
struct BootConfigurations: Sendable {
    let boots: BootService
    let peers: PeerDirectory
    let lease: @Sendable (IPv4Address) -> Lease?
    let ports: (http: UInt16, nbd: UInt16)
    var nfsPort: UInt16 = 2049
    let clock: any Clock

    /// One question.
    struct Question: Sendable {
        /// Whose configuration.
        var mac: MACAddress
        /// Which program asks.
        var stage: BootStage
        /// Who asks.
        var peer: IPv4Address
        /// Which of our addresses was asked.
        var local: IPv4Address
        /// Whether the loader will start what it is told; else it only looks.
        var begins = true
    }

    /// The plan whose configuration goes out.
    ///
    /// Only the machine itself begins a boot: others may look, but its running boot is none of their business.
    func plan(_ question: Question) -> Result<BootPlan, BootRefusal> {
        let mac = question.mac
        let server = ServerAddresses(
            address: question.local,
            httpPort: ports.http,
            nbdPort: ports.nbd,
            nfsPort: nfsPort
        )
        let addressing = addressing(of: mac, at: question.peer)
        guard question.begins, peers.couldBe(mac, at: question.peer, local: question.local) else {
            var asked = NodeRequest(mac: mac, stage: question.stage)
            asked.architecture = boots.boot(of: mac)?.architecture
            return boots.preview(for: asked, addressing: addressing, server: server)
        }
        let result = boots.planScript(
            for: mac,
            stage: question.stage,
            addressing: addressing,
            server: server,
            at: question.peer
        )
        var event = BootEvent(
            time: clock.now(),
            node: boots.identify(NodeRequest(mac: mac, stage: question.stage)).node.name,
            mac: mac,
            kind: .script,
            address: question.peer
        )
        switch result {
        case .success(let plan):
            let root = plan.root.choice
            event.detail = "\(plan.image), root via \(root.via.rawValue), writes \(root.writes.rawValue)"
            if plan.menu.isShown { event.detail = "menu, by default \(event.detail ?? "")" }
        case .failure(let refusal):
            event.kind = .refuse
            event.detail = refusal.reason
        }
        boots.record(event, reached: nil)
        return result
    }

    /// The machine whose configuration a file name asks for; nil when nobody knows it.
    func mac(of asker: BootFileRequest.Asker, peer: IPv4Address) -> MACAddress? {
        switch asker {
        case .mac(let mac): return mac
        case .itself: return peers.mac(of: peer)
        case .address(let address): return peers.mac(of: address)
        case .uuid(let uuid):
            guard let node = (try? boots.registry.fleet())?.node(uuid: uuid) else { return nil }
            // Of several cards the one that asks.
            return peers.mac(of: peer).flatMap { node.macs.contains($0) || node.macs.isEmpty ? $0 : nil }
                ?? node.macs.first
        }
    }

    private func addressing(of mac: MACAddress, at address: IPv4Address) -> NodeAddressing {
        guard let fleet = try? boots.registry.fleet(), let network = fleet.network(containing: address),
            network.dhcp == .full, let lease = lease(address), lease.mac == mac, lease.state == .bound
        else { return .foreign }
        return .leased(
            address: address,
            subnet: network.subnet,
            router: network.router,
            nameservers: network.nameservers
        )
    }
}
