import AdminAPI
import BlockStorage
import BootModel
import CLinux
import Foundation
import Logging
import NBD
import NBDServer
import NetworkTypes
import Synchronization

/// What the NBD server has: every image version read-only, and the private layer of each boot that is under way.
final class RootExports: NBDExportSource {
    private struct Weak { weak var storage: FileStorage? }

    private struct Session {
        /// Nil when nobody knows it, as behind a router.
        var mac: MACAddress?
        var root: ServerFacts.ConnectedRoot
    }

    private let catalog: any ImageCatalog
    private let boots: BootService
    private let peers: PeerDirectory
    private let clock: any Clock
    private let logger: Logger
    private let layers: CopyOnWriteLayers
    private let layersDirectory: String
    /// Each root file is open once, for all nodes that read it.
    private let open = Mutex<[ImageVersionID: Weak]>([:])
    /// Whose session each connection is, so that its end is told of the same machine as its beginning.
    private let sessions = Mutex<[UInt64: Session]>([:])
    /// Told while a node's root is connected, so that its address stays its own.
    private let held: @Sendable (MACAddress, _ isConnected: Bool) -> Void

    init(
        catalog: any ImageCatalog,
        layersDirectory: String,
        boots: BootService,
        peers: PeerDirectory,
        clock: any Clock,
        logger: Logger,
        held: @escaping @Sendable (MACAddress, _ isConnected: Bool) -> Void
    ) throws {
        self.catalog = catalog
        self.layersDirectory = layersDirectory
        self.boots = boots
        self.peers = peers
        self.clock = clock
        self.logger = logger
        self.held = held
        layers = try CopyOnWriteLayers()
    }

    func open(_ name: String, purpose: NBDExportPurpose, peer: NBDPeer) throws(NBDExportRefusal) -> NBDExport {
        guard let export = ExportName(name) else {
            throw NBDExportRefusal(.unknown, "there is no export \"\(name)\": exports are named IMAGE@VERSION")
        }
        guard let version = try version(export.image) else {
            throw NBDExportRefusal(.unknown, "there is no image \(export.image)")
        }
        let base = try root(of: version)
        guard let layer = export.layer else {
            return NBDExport(ReadOnlyStorage(base), text: "\(version.id), \(version.rootFormat.rawValue), read-only")
        }
        if let problem = RootChoice(via: .nbd, writes: .cow).problem(with: version.rootFormat) {
            throw NBDExportRefusal(.policy, "\(export.image): \(problem)")
        }
        return try privateLayer(layer, over: base, version: version, purpose: purpose)
    }

    private func privateLayer(
        _ layer: ExportName.Layer,
        over base: FileStorage,
        version: ImageVersion,
        purpose: NBDExportPurpose
    ) throws(NBDExportRefusal) -> NBDExport {
        let directory = "\(layersDirectory)/\(layer.node)/\(layer.boot)"
        let exists = FileManager.default.fileExists(atPath: directory)
        if !exists {
            // A layer begins with the boot it is for; what is named later belongs to a boot that is over.
            guard let boot = boots.boot(layer.boot), boot.node == layer.node else {
                throw NBDExportRefusal(.policy, "boot \(layer.boot) of \(layer.node) is over: start the node again")
            }
            if purpose == .information {
                return NBDExport(ReadOnlyStorage(base), text: "\(version.id), not yet written to")
            }
            dropOtherLayers(than: layer)
        }
        do {
            if !exists {
                try FileManager.default.createDirectory(
                    atPath: "\(layersDirectory)/\(layer.node)",
                    withIntermediateDirectories: true
                )
            }
            let storage = try layers.open(
                directory: directory,
                over: base,
                identity: version.files[.root]?.sha256 ?? version.id.description
            )
            return NBDExport(
                storage,
                text: "\(version.id), private to this boot of \(layer.node)",
                onlySession: "\(layer.node)/\(layer.boot)"
            )
        } catch {
            logger.error("cannot open a private layer", metadata: ["node": "\(layer.node)", "error": "\(error)"])
            throw NBDExportRefusal(.policy, "the server cannot open the layer: \(error)")
        }
    }

    /// A node's earlier layers end when a later boot of it opens its own.
    private func dropOtherLayers(than layer: ExportName.Layer) {
        let folder = "\(layersDirectory)/\(layer.node)"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name != layer.boot.text {
            do {
                try layers.remove(directory: "\(folder)/\(name)")
            } catch {
                logger.warning("cannot remove an old layer", metadata: ["node": "\(layer.node)", "error": "\(error)"])
            }
        }
    }

    private func version(_ id: ImageVersionID) throws(NBDExportRefusal) -> ImageVersion? {
        do {
            return try catalog.resolve(.version(id))
        } catch {
            throw NBDExportRefusal(.policy, "the image store cannot be read: \(error)")
        }
    }

    private func root(of version: ImageVersion) throws(NBDExportRefusal) -> FileStorage {
        do {
            return try open.withLock { open in
                if let storage = open[version.id]?.storage { return storage }
                open = open.filter { $0.value.storage != nil }
                let path = try catalog.path(of: .root, in: version.id)
                let storage = try FileStorage(path: path, writable: false)
                open[version.id] = Weak(storage: storage)
                return storage
            }
        } catch {
            logger.error("cannot open a root", metadata: ["image": "\(version.id)", "error": "\(error)"])
            throw NBDExportRefusal(.unknown, "\(version.id): \(error)")
        }
    }

    func list(peer: NBDPeer) -> [NBDListedExport] {
        let versions = (try? catalog.versions()) ?? []
        return versions.map { NBDListedExport(name: $0.id.description, text: "\($0.rootFormat.rawValue), read-only") }
    }

    func connected(_ name: String, peer: NBDPeer) {
        let mac = mac(of: name, peer)
        // An image is in use whoever uses it: where nobody knows the machine, its address stands for it.
        let address = peer.remote.address.description.split(separator: ".").joined(separator: "-")
        let known = mac.map { boots.identify(NodeRequest(mac: $0, stage: .system)).node.name }
        guard let image = ExportName(name)?.image, let node = known ?? NodeName("at-\(address)") else { return }
        let root = ServerFacts.ConnectedRoot(node: node, image: image)
        sessions.withLock { $0[peer.connection] = Session(mac: mac, root: root) }
        guard let mac else { return }
        held(mac, true)
        record(.rootConnected, name, peer, mac, reached: .root)
    }

    func disconnected(_ name: String, peer: NBDPeer, traffic: NBDTraffic) {
        guard let session = sessions.withLock({ $0.removeValue(forKey: peer.connection) }), let mac = session.mac else {
            return
        }
        held(mac, false)
        let moved = "read \(traffic.read / 1_000_000) MB, wrote \(traffic.written / 1_000_000) MB"
        record(.rootDisconnected, name, peer, mac, reached: nil, detail: moved)
    }

    /// The roots that are connected now.
    var connectedRoots: [ServerFacts.ConnectedRoot] { sessions.withLock { $0.values.map(\.root) } }

    private func mac(of name: String, _ peer: NBDPeer) -> MACAddress? {
        if let layer = ExportName(name)?.layer, let boot = boots.boot(layer.boot) { return boot.mac }
        return peers.mac(of: peer.remote.address)
    }

    private func record(
        _ kind: BootEvent.Kind,
        _ name: String,
        _ peer: NBDPeer,
        _ mac: MACAddress,
        reached: Boot.Progress?,
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
            detail: detail
        )
        boots.record(event, reached: reached)
    }
}
