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
        /// The volume that it is for; nil for the image and its layers.
        var volume: VolumeName?
    }

    private let catalog: any ImageCatalog
    private let boots: BootService
    private let peers: PeerDirectory
    private let clock: any Clock
    private let logger: Logger
    private let refusals: Refusals
    private let layers: CopyOnWriteLayers
    private let layersDirectory: String
    private let volumes: VolumeStore
    private let claims: NodeClaims
    /// Each root file is open once, for all nodes that read it.
    private let open = Mutex<[ImageVersionID: Weak]>([:])
    /// Whose session each connection is, so that its end is told of the same machine as its beginning.
    private let sessions = Mutex<[UInt64: Session]>([:])
    /// Ends the session that uses what a key stands for.
    private let ending = Mutex<Hook<String, Void>?>(nil)
    /// Told while a node's root is connected, so that its address stays its own.
    private let held: @Sendable (MACAddress, _ isConnected: Bool) -> Void

    init(
        catalog: any ImageCatalog,
        layersDirectory: String,
        volumes: VolumeStore,
        claims: NodeClaims = NodeClaims(),
        boots: BootService,
        peers: PeerDirectory,
        clock: any Clock,
        logger: Logger,
        held: @escaping @Sendable (MACAddress, _ isConnected: Bool) -> Void
    ) throws {
        self.catalog = catalog
        self.layersDirectory = layersDirectory
        self.volumes = volumes
        self.claims = claims
        self.boots = boots
        self.peers = peers
        self.clock = clock
        self.logger = logger
        self.held = held
        refusals = Refusals(boots: boots, peers: peers, clock: clock)
        layers = try CopyOnWriteLayers()
    }

    /// Tells how sessions are ended.
    func ending(by action: @escaping @Sendable (String) -> Void) { ending.withLock { $0 = Hook(run: action) } }

    func open(_ name: String, purpose: NBDExportPurpose, peer: NBDPeer) throws(NBDExportRefusal) -> NBDExport {
        do throws(NBDExportRefusal) {
            let volume = VolumeName(name)
            let use = try use(of: volume?.node ?? ExportName(name)?.layer?.node)
            var export =
                if let volume { try self.volume(volume, purpose: purpose, peer: peer) } else {
                    try image(name, purpose: purpose, peer: peer)
                }
            export.holding = use
            return export
        } catch {
            refused(name, error.reason, peer)
            throw error
        }
    }

    /// What a node's storage is in use by as long as it lives; a node that comes while somebody else has it tries again.
    private func use(of node: NodeName?) throws(NBDExportRefusal) -> NodeClaims.Use? {
        guard let node else { return nil }
        do throws(SetupError) { return try claims.use(node) } catch {
            throw NBDExportRefusal(.shuttingDown, error.description)
        }
    }

    /// The device of a boot, for the machine that is in it.
    private func volume(
        _ name: VolumeName,
        purpose: NBDExportPurpose,
        peer: NBDPeer
    ) throws(NBDExportRefusal) -> NBDExport {
        let grants = try grants(of: name.boot, node: name.node, peer: peer)
        let key = Self.sessionKey(name, grants)
        do {
            if name.kind == .shared, purpose != .information {
                let writer = try volumes.claimShared(grants) { writer in
                    self.isUnderWay(writer)
                }
                if let writer {
                    throw NBDExportRefusal(
                        .policy,
                        "\(grants.image) is shared, and node \(writer.node) writes to it: one writer at a time"
                            + " (it ends when \(writer.node) boots something else)"
                    )
                }
            }
            let end = purpose == .information ? nil : ending.withLock(\.self)
            let storage = try volumes.storage(
                name.kind,
                for: grants,
                size: name.isGrowing ? boots.volumeSize(of: grants.mac) : nil,
                ending: end.map { end in { end.run(key) } }
            )
            if purpose != .information { boots.grants.used(name.boot, node: name.node, at: peer.remote.address) }
            return NBDExport(storage, text: "\(name.kind.rawValue) of \(name.node)", onlySession: key)
        } catch let refusal as NBDExportRefusal {
            throw refusal
        } catch {
            logger.error(
                "cannot open a \(name.kind.rawValue)",
                metadata: ["node": "\(name.node)", "error": "\(error)"]
            )
            throw NBDExportRefusal(.policy, "the server cannot open the \(name.kind.rawValue): \(error)")
        }
    }

    /// Whether the boot that a volume is for goes on: until its node asks for a newer one, and then as long as it uses it.
    private func isUnderWay(_ writer: VolumeName) -> Bool {
        if boots.grants.newest(of: writer.node)?.boot == writer.boot { return true }
        return sessions.withLock { sessions in sessions.values.contains { $0.volume == writer } }
    }

    /// What one session at a time uses.
    private static func sessionKey(_ name: VolumeName, _ grants: BootGrants) -> String {
        name.kind == .shared ? "shared/\(grants.image)" : "\(name.kind.rawValue)/\(name.node)"
    }

    /// Ends the sessions of volumes that are smaller than the fleet says now.
    ///
    /// Their nodes dial again at once, which lets the volume grow, and take the larger device. Others grow at the next boot.
    func growVolumes() {
        guard let end = ending.withLock(\.self) else { return }
        let names = sessions.withLock { sessions in Set(sessions.values.compactMap(\.volume)).filter(\.isGrowing) }
        for name in names {
            guard let grants = boots.grants.grants(of: name.boot, node: name.node),
                let size = boots.volumeSize(of: grants.mac), volumes.isSmaller(grants, than: size)
            else { continue }
            end.run(Self.sessionKey(name, grants))
        }
    }

    /// What a boot may use, for the machine that is in it and for nobody else.
    private func grants(
        of boot: BootIdentifier,
        node: NodeName,
        peer: NBDPeer
    ) throws(NBDExportRefusal) -> BootGrants {
        guard let grants = boots.grants.grants(of: boot, node: node) else {
            throw NBDExportRefusal(.policy, "boot \(boot) of \(node) is over: start the node again")
        }
        try admit(grants.mac, grants.address, peer, "boot \(boot) of \(node)")
        return grants
    }

    /// Lets in the machine itself, as far as address and lease tell, and this computer.
    private func admit(
        _ mac: MACAddress,
        _ address: IPv4Address?,
        _ peer: NBDPeer,
        _ what: String
    ) throws(NBDExportRefusal) {
        guard peer.remote.address != peer.local.address else { return }
        let holder = peers.mac(of: peer.remote.address)
        guard holder == nil || holder == mac, address == nil || address == peer.remote.address else {
            throw NBDExportRefusal(.policy, "\(what) is not for \(peer.remote.address)")
        }
    }

    private func image(
        _ name: String,
        purpose: NBDExportPurpose,
        peer: NBDPeer
    ) throws(NBDExportRefusal) -> NBDExport {
        guard let export = ExportName(name) else {
            throw NBDExportRefusal(.unknown, "there is no export \"\(name)\": exports are named IMAGE@VERSION")
        }
        guard let version = try version(export.image) else {
            throw NBDExportRefusal(.unknown, "there is no image \(export.image)")
        }
        let base = try root(of: version)
        guard let layer = export.layer else {
            try admitToImage(version.id, peer, purpose)
            return NBDExport(ReadOnlyStorage(base), text: "\(version.id), \(version.rootFormat.rawValue), read-only")
        }
        if let boot = boots.boot(layer.boot), boot.node == layer.node {
            let address = boots.grants.grants(of: layer.boot, node: layer.node)?.address
            try admit(boot.mac, address, peer, "boot \(layer.boot) of \(layer.node)")
        }
        if let problem = RootChoice(via: .nbd, writes: .cow).problem(with: version.rootFormat) {
            throw NBDExportRefusal(.policy, "\(export.image): \(problem)")
        }
        return try privateLayer(layer, over: base, version: version, purpose: purpose)
    }

    /// An image is for the machines that boot it: those whose grants name it.
    private func admitToImage(
        _ image: ImageVersionID,
        _ peer: NBDPeer,
        _ purpose: NBDExportPurpose
    ) throws(NBDExportRefusal) {
        let address = peer.remote.address
        guard address != peer.local.address else { return }
        let holder = peers.mac(of: address)
        let grants = boots.grants.grants(at: address).filter { holder == nil || holder == $0.mac }
        // Of boots that share it the oldest: of a newer one nobody knows whether it is more than a script that was asked for.
        guard let boot = grants.last(where: { $0.image == image || $0.otherImages.contains(image) }) else {
            throw NBDExportRefusal(.policy, "\(image) is for the nodes that boot it, and \(address) is not one of them")
        }
        if purpose != .information { boots.grants.used(boot.boot, node: boot.node, at: address) }
    }

    /// A refusal is part of the timeline of the machine that was refused.
    private func refused(_ name: String, _ reason: String, _ peer: NBDPeer) {
        let shown = String(name.unicodeScalars.prefix(200).map { $0.value < 0x20 ? "?" : Character($0) })
        let layer = ExportName(name)?.layer
        let volume = VolumeName(name)
        let boot = volume.map { ($0.boot, $0.node) } ?? layer.map { ($0.boot, $0.node) }
        refusals.record(
            shown,
            to: peer.remote.address,
            owner: boot.flatMap { boots.grants.grants(of: $0, node: $1) },
            detail: "NBD export \(shown): \(reason)"
        )
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
        let volume = VolumeName(name)
        let granted = volume.flatMap { boots.grants.grants(of: $0.boot, node: $0.node) }
        guard let image = ExportName(name)?.image ?? granted?.image, let node = known ?? NodeName("at-\(address)")
        else { return }
        let root = ServerFacts.ConnectedRoot(node: node, image: image)
        sessions.withLock { $0[peer.connection] = Session(mac: mac, root: root, volume: volume) }
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

    /// The roots that are connected now.
    var connectedRoots: [ServerFacts.ConnectedRoot] { sessions.withLock { $0.values.map(\.root) } }

    private func mac(of name: String, _ peer: NBDPeer) -> MACAddress? {
        if let layer = ExportName(name)?.layer, let boot = boots.boot(layer.boot) { return boot.mac }
        if let volume = VolumeName(name), let grants = boots.grants.grants(of: volume.boot, node: volume.node) {
            return grants.mac
        }
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
