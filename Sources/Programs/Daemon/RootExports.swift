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

/// What the NBD server has: image versions read-only, and the private layers and volumes of the boots that are under way.
final class RootExports: NBDExportSource {
    private struct Weak { weak var storage: FileStorage? }

    struct Session {
        /// Nil when nobody knows it, as behind a router.
        var mac: MACAddress?
        var root: ServerFacts.ConnectedRoot
        /// The volume that it is for; nil for the image and its layers.
        var volume: VolumeName?
        /// The node that a volume or layer is named after; it may have another name by now.
        var owner: NodeName?
    }

    private let catalog: any ImageCatalog
    let boots: BootService
    let peers: PeerDirectory
    let clock: any Clock
    private let logger: Logger
    private let refusals: Refusals
    private let layers: CopyOnWriteLayers
    private let layersDirectory: String
    private let volumes: VolumeStore
    private let claims: NodeClaims
    private let unflushed: UnflushedWrites
    /// Each root file is open once, for all nodes that read it.
    private let open = Mutex<[ImageVersionID: Weak]>([:])
    /// Whose session each connection is, so that its end is told of the same machine as its beginning.
    let sessions = Mutex<[UInt64: Session]>([:])
    /// Ends the session that uses what a key stands for.
    private let ending = Mutex<Hook<String, Void>?>(nil)
    /// Told while a node's root is connected, so that its address stays its own.
    let held: @Sendable (MACAddress, _ isConnected: Bool) -> Void

    init(
        catalog: any ImageCatalog,
        layersDirectory: String,
        volumes: VolumeStore,
        claims: NodeClaims = NodeClaims(),
        unflushed: UnflushedWrites,
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
        self.unflushed = unflushed
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
                    // A script that was asked for and not followed takes nothing from who writes.
                    self.isConnected(writer) || self.boots.grants.newest(of: writer.node)?.boot == writer.boot
                }
                if let writer {
                    throw NBDExportRefusal(
                        .policy,
                        "\(grants.image) is shared, and node \(writer.node) writes to it: one writer at a time"
                            + " (it ends when \(writer.node) boots something else; if it is off for good, with"
                            + " 'diskless node reset \(writer.node) --root' or 'diskless node rm \(writer.node)')"
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
            let isLook = purpose == .information
            if !isLook { boots.grants.used(name.boot, node: name.node, at: peer.remote.address) }
            return NBDExport(
                isLook ? storage : try unflushed.watched(storage, name.kind.rawValue, of: name.boot, name.node),
                text: "\(name.kind.rawValue) of \(name.node)",
                onlySession: key,
                waitsForRoomAt: volumes.path(name.kind, grants)
            )
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
        try admitToLayer(layer, of: version.id, peer)
        if let problem = RootChoice(via: .nbd, writes: .cow).problem(with: version.rootFormat) {
            throw NBDExportRefusal(.policy, "\(export.image): \(problem)")
        }
        let opened = try privateLayer(layer, over: base, version: version, purpose: purpose)
        if purpose != .information { boots.grants.used(layer.boot, node: layer.node, at: peer.remote.address) }
        return opened
    }

    /// A layer is for the machine whose boot it belongs to, also when another boot of it has begun: anybody can begin one.
    private func admitToLayer(
        _ layer: ExportName.Layer,
        of image: ImageVersionID,
        _ peer: NBDPeer
    ) throws(NBDExportRefusal) {
        // What boots that are over left behind may be looked at on this computer.
        if peer.remote.address == peer.local.address { return }
        let grants = try grants(of: layer.boot, node: layer.node, peer: peer)
        guard grants.image == image || grants.otherImages.contains(image) else {
            throw NBDExportRefusal(.policy, "boot \(layer.boot) of \(layer.node) was not given \(image)")
        }
    }

    /// An image is for the machines that boot it: those whose grants name it.
    private func admitToImage(
        _ image: ImageVersionID,
        _ peer: NBDPeer,
        _ purpose: NBDExportPurpose
    ) throws(NBDExportRefusal) {
        let address = peer.remote.address
        guard address != peer.local.address else { return }
        guard let boot = boot(with: image, at: address) else {
            throw NBDExportRefusal(.policy, "\(image) is for the nodes that boot it, and \(address) is not one of them")
        }
        if purpose != .information { boots.grants.used(boot.boot, node: boot.node, at: address) }
    }

    /// The boot of the machine at `address` that was given an image.
    ///
    /// Of several the oldest: of a newer one nobody knows whether it is more than a script that was asked for.
    private func boot(with image: ImageVersionID, at address: IPv4Address) -> BootGrants? {
        let holder = peers.mac(of: address)
        return boots.grants.grants(at: address).last {
            (holder == nil || holder == $0.mac) && ($0.image == image || $0.otherImages.contains(image))
        }
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
                purpose == .information
                    ? storage : try unflushed.watched(storage, "root", of: layer.boot, layer.node),
                text: "\(version.id), private to this boot of \(layer.node)",
                onlySession: "\(layer.node)/\(layer.boot)",
                waitsForRoomAt: directory
            )
        } catch let refusal as NBDExportRefusal {
            throw refusal
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

    /// The images that this client may open: all of them on this computer, else those of its own boot.
    func list(peer: NBDPeer) -> [NBDListedExport] {
        let isHere = peer.remote.address == peer.local.address
        let versions = (try? catalog.versions()) ?? []
        return versions.filter { isHere || boot(with: $0.id, at: peer.remote.address) != nil }
            .map { NBDListedExport(name: $0.id.description, text: "\($0.rootFormat.rawValue), read-only") }
    }
}
