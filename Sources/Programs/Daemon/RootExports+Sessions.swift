import AdminAPI
import BootModel
import NBDServer
import NetworkTypes
import Synchronization

// Who has what open, and what is told of it.
extension RootExports {
    func connected(_ name: String, peer: NBDPeer) {
        let mac = mac(of: name, peer)
        // An image is in use whoever uses it: where nobody knows the machine, its address stands for it.
        let address = peer.remote.address.description.split(separator: ".").joined(separator: "-")
        let known = mac.map { boots.identify(NodeRequest(mac: $0, stage: .system)).node.name }
        let volume = VolumeName(name)
        let owner = volume?.node ?? ExportName(name)?.layer?.node
        let granted = volume.flatMap { boots.grants.grants(of: $0.boot, node: $0.node) }
        guard let image = ExportName(name)?.image ?? granted?.image, let node = known ?? NodeName("at-\(address)")
        else { return }
        let root = ServerFacts.ConnectedRoot(node: node, image: image)
        sessions.withLock { $0[peer.connection] = Session(mac: mac, root: root, volume: volume, owner: owner) }
        guard let mac else { return }
        held(mac, true)
        // Beside the root a node may have a volume and swap: only the root is a step of the boot.
        guard volume == nil || volume?.kind == .shared else { return }
        record(.rootConnected, name, peer, mac, reached: .root)
    }

    func disconnected(_ name: String, peer: NBDPeer, traffic: NBDTraffic) {
        guard let session = sessions.withLock({ $0.removeValue(forKey: peer.connection) }), let mac = session.mac else {
            return
        }
        held(mac, false)
        guard VolumeName(name).map({ $0.kind == .shared }) ?? true else { return }
        let moved = "read \(traffic.read / 1_000_000) MB, wrote \(traffic.written / 1_000_000) MB"
        record(.rootDisconnected, name, peer, mac, reached: nil, detail: moved)
    }

    func waitsForRoom(_ name: String, peer: NBDPeer, room: String) {
        guard let mac = mac(of: name, peer) else { return }
        record(.waitsForRoom, name, peer, mac, reached: nil, detail: room)
    }

    func foundRoom(_ name: String, peer: NBDPeer, seconds: Int) {
        guard let mac = mac(of: name, peer) else { return }
        record(.foundRoom, name, peer, mac, reached: nil, seconds: Double(seconds))
    }

    /// The roots that are connected now.
    var connectedRoots: [ServerFacts.ConnectedRoot] { sessions.withLock { $0.values.map(\.root) } }

    /// The nodes that have something open, by the names that they booted with and by those that they have now.
    var connectedNodes: Set<NodeName> {
        sessions.withLock { Set($0.values.flatMap { [$0.root.node] + ($0.owner.map { [$0] } ?? []) }) }
    }

    /// The machines that have something open.
    var connectedMachines: Set<MACAddress> { sessions.withLock { Set($0.values.compactMap(\.mac)) } }

    /// Whether the boot has this volume open.
    func isConnected(_ volume: VolumeName) -> Bool {
        sessions.withLock { $0.values.contains { $0.volume == volume } }
    }

    private func mac(of name: String, _ peer: NBDPeer) -> MACAddress? {
        let layer = ExportName(name)?.layer
        let boot = VolumeName(name).map { ($0.boot, $0.node) } ?? layer.map { ($0.boot, $0.node) }
        if let boot, let grants = boots.grants.grants(of: boot.0, node: boot.1) { return grants.mac }
        if let layer, let boot = boots.boot(layer.boot) { return boot.mac }
        return peers.mac(of: peer.remote.address)
    }

    private func record(
        _ kind: BootEvent.Kind,
        _ name: String,
        _ peer: NBDPeer,
        _ mac: MACAddress,
        reached: Boot.Progress?,
        seconds: Double? = nil,
        detail: String? = nil
    ) {
        // A tool that looks at an export from a machine that is not booting begins no boot.
        guard boots.boot(of: mac) != nil else { return }
        let event = BootEvent(
            time: clock.now(),
            node: boots.identify(NodeRequest(mac: mac, stage: .system)).node.name,
            mac: mac,
            kind: kind,
            address: peer.remote.address,
            file: name,
            seconds: seconds,
            detail: detail
        )
        boots.record(event, reached: reached)
    }
}
