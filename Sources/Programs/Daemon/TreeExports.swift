import BootModel
import FileTree
import Logging
import NFSServer
import NetworkTypes
import Synchronization

/// What the NFS server has: for each machine the trees of its own boot, and nothing for anybody else.
///
/// Who a client is, its address tells: the one that its boot was given, and whose lease is its hardware address's. What
/// belongs to one boot also has that boot's identifier in its path, which nobody else was told.
final class TreeExports: NFSExportSource {
    private struct Clients {
        /// Connections of each address.
        var connections: [IPv4Address: Int] = [:]
        /// The boot whose root was mounted last from an address, and by which connection.
        var roots: [IPv4Address: (boot: BootIdentifier, port: UInt16)] = [:]
        /// Whose address is held, by address.
        var held: [IPv4Address: MACAddress] = [:]
    }

    private let grants: GrantStore
    private let trees: TreeStore
    private let claims: NodeClaims
    private let boots: BootService
    private let peers: PeerDirectory
    private let clock: any Clock
    private let logger: Logger
    private let held: @Sendable (MACAddress, _ isConnected: Bool) -> Void
    private let refusals: Refusals
    private let clients = Mutex(Clients())
    /// Ends the connections that an older boot left behind: all of an address but this one.
    private let cut = Mutex<Hook<Endpoint, Void>?>(nil)

    init(
        grants: GrantStore,
        trees: TreeStore,
        claims: NodeClaims = NodeClaims(),
        boots: BootService,
        peers: PeerDirectory,
        clock: any Clock,
        logger: Logger,
        held: @escaping @Sendable (MACAddress, _ isConnected: Bool) -> Void
    ) {
        self.grants = grants
        self.trees = trees
        self.claims = claims
        self.boots = boots
        self.peers = peers
        self.clock = clock
        self.logger = logger
        self.held = held
        refusals = Refusals(boots: boots, peers: peers, clock: clock)
    }

    /// Tells how connections are ended.
    func cutting(by action: @escaping @Sendable (Endpoint) -> Void) { cut.withLock { $0 = Hook(run: action) } }

    var revision: UInt64 { grants.revision }

    /// The boots that a client at this address may be in.
    private func boots(at peer: Endpoint) -> [BootGrants] {
        let holder = peers.mac(of: peer.address)
        return grants.grants(at: peer.address).filter { holder == nil || holder == $0.mac }
    }

    func exports(for peer: Endpoint) -> [NFSListedExport] {
        var paths: Set<String> = []
        return boots(at: peer).flatMap(\.trees).compactMap { grant in
            guard paths.insert(grant.path).inserted else { return nil }
            return NFSListedExport(path: grant.path, identity: trees.identity(of: grant.source))
        }
    }

    func export(at path: String, for peer: Endpoint, opens: Bool) -> NFSExport? {
        let found = boots(at: peer).flatMap(\.trees).first { $0.path == path }
        guard let found, opens || trees.isOpen(found.source) else { return nil }
        return open(found, for: peer, patience: opens ? Self.mountPatience : 0)
    }

    func export(identity: UInt64, for peer: Endpoint) -> NFSExport? {
        let found = boots(at: peer).flatMap(\.trees).first { trees.identity(of: $0.source) == identity }
        return found.flatMap { open($0, for: peer, patience: Self.handlePatience) }
    }

    /// For how many seconds a mount waits while the node's storage is reset, copied or put back: who mounts gives up then, and
    /// boots again.
    private static let mountPatience = 20
    /// The same for a file that a node has open, which would be lost to it.
    private static let handlePatience = 600

    private func open(_ grant: TreeGrant, for peer: Endpoint, patience: Int) -> NFSExport? {
        let use: NodeClaims.Use?
        do throws(SetupError) {
            use = if let node = grant.source.node { try claims.use(node, seconds: patience) } else { nil }
        } catch {
            let owner = grants.all.first { $0.trees.contains(grant) }
            refusals.record(grant.path, to: peer.address, owner: owner, detail: "\(grant.path) over NFS: \(error)")
            return nil
        }
        defer { withExtendedLifetime(use) {} }
        do {
            return NFSExport(
                path: grant.path,
                tree: try trees.tree(grant.source) { [self] in cut.withLock(\.self)?.run(peer) },
                isWritable: grant.isWritable,
                squash: SquashRule(grant.isOwn ? .none : .root),
                hasDelegations: !grant.source.isSharedWithServer,
                isForOneClient: grant.source.isOfOneNode,
                // Where people work together; a node's root needs none, and is faster without.
                hasAccessLists: grant.source.isSharedWithServer
            )
        } catch {
            let owner = grants.all.first { $0.trees.contains(grant) }
            refusals.record(grant.path, to: peer.address, owner: owner, detail: "\(grant.path) over NFS: \(error)")
            logger.error("cannot export \(grant.path)", metadata: ["error": "\(error)"])
            return nil
        }
    }

    func mounted(_ path: String, by peer: Endpoint) {
        // A path of one boot's own names it. Of those that share one the oldest is taken: of a newer one nobody knows whether
        // it is more than a script that was asked for.
        let sharing = boots(at: peer).last { boot in boot.trees.contains { $0.path == path } }
        guard let boot = sharing else { return }
        grants.used(boot.boot, node: boot.node, at: peer.address)
        trees.keepOnly(wanted)
        hold(peer.address, boot.mac)
        let isRoot = boot.trees.first?.path == path && (boot.root.via == .nfs || boot.root.via == .nfsImage)
        guard isRoot else { return }
        // Version 4's clients walk over the same name twice.
        let isNew = clients.withLock { clients in
            defer { clients.roots[peer.address] = (boot.boot, peer.port) }
            return clients.roots[peer.address].map { $0 != (boot.boot, peer.port) } ?? true
        }
        guard isNew else { return }
        record(.rootConnected, boot, peer, file: path, reached: .root)
    }

    /// Whether any boot may still use a tree.
    private func wanted(_ source: TreeSource) -> Bool {
        grants.all.contains { $0.trees.contains { $0.source == source } }
    }

    func refused(_ path: String, to peer: Endpoint) {
        let owner = grants.all.first { boot in
            boot.trees.contains { $0.source.isOfOneNode && (path == $0.path || path.hasPrefix("\($0.path)/")) }
        }
        refusals.record(
            path,
            to: peer.address,
            owner: owner,
            detail: "\(path) over NFS is not for this boot, or does not exist"
        )
    }

    func refused(identity: UInt64, to peer: Endpoint) {
        let owner = grants.all.first { boot in
            boot.trees.contains { $0.source.isOfOneNode && trees.identity(of: $0.source) == identity }
        }
        guard let owner else { return }
        refusals.record(
            "a file over NFS",
            to: peer.address,
            owner: owner,
            detail: "a file of \(owner.node) over NFS is not for \(peer.address)"
        )
    }

    func connected(_ peer: Endpoint) {
        clients.withLock { $0.connections[peer.address, default: 0] += 1 }
        // A node that goes on after a restart of the server mounts nothing again.
        if let boot = boots(at: peer).first { hold(peer.address, boot.mac) }
    }

    func disconnected(_ peer: Endpoint) {
        let mac = clients.withLock { clients -> MACAddress? in
            let count = clients.connections[peer.address, default: 1] - 1
            clients.connections[peer.address] = count > 0 ? count : nil
            if count <= 0 { clients.roots[peer.address] = nil }
            return count > 0 ? nil : clients.held.removeValue(forKey: peer.address)
        }
        if let mac { held(mac, false) }
    }

    private func hold(_ address: IPv4Address, _ mac: MACAddress) {
        let isNew = clients.withLock { clients in
            guard clients.connections[address] != nil, clients.held[address] == nil else { return false }
            clients.held[address] = mac
            return true
        }
        if isNew { held(mac, true) }
    }

    /// The boots that have a connection now, for those whose root it is.
    var connectedBoots: [BootGrants] {
        let (addresses, roots, held) = clients.withLock { (Array($0.connections.keys), $0.roots, $0.held) }
        return addresses.compactMap { address in
            // Of several nodes that had the address one after the other, only one is there now.
            let boots = boots(at: Endpoint(address, 0)).filter { held[address] == nil || held[address] == $0.mac }
            // Of one node, the oldest is the one that uses what it was given.
            return boots.first { $0.boot == roots[address]?.boot } ?? boots.last
        }
    }

    private func record(
        _ kind: BootEvent.Kind,
        _ boot: BootGrants,
        _ peer: Endpoint,
        file: String,
        reached: Boot.Progress?
    ) {
        let event = BootEvent(
            time: clock.now(),
            boot: boot.boot,
            node: boot.node,
            mac: boot.mac,
            kind: kind,
            address: peer.address,
            file: file
        )
        boots.record(event, reached: reached)
    }
}
