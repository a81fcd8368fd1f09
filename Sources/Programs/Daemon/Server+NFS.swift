import BootModel
import CLinux
import Logging
import NFSServer
import NetworkIO
import NetworkTypes
import TreeMounts

extension Server {
    /// How long what a client of version 4 has open is kept for it unheard.
    ///
    /// Short: where one did not come back after a restart, others wait one and a half times as long for their first OPEN.
    private static var leaseSeconds: UInt64 { 30 }

    /// Tells clients that cannot be told a port where NFS is; without it all others are served.
    private static func portmap(beside server: NFSServer, _ logger: Logger) -> PortmapServer? {
        do {
            let portmap = try PortmapServer(on: .any, beside: server, logger: logger)
            try portmap.start()
            return portmap
        } catch {
            logger.warning("no port mapper", metadata: ["why": "\(error)"])
            return nil
        }
    }

    /// Serves trees over NFS, unless something is missing for that: then roots over NBD are served all the same.
    static func nfs(
        _ setup: ServerSetup,
        _ catalog: any ImageCatalog,
        _ boots: BootService,
        _ claims: NodeClaims,
        _ peers: PeerDirectory,
        _ clock: any Clock,
        _ logger: Logger,
        held: @escaping @Sendable (MACAddress, _ isConnected: Bool) -> Void
    ) -> (server: NFSServer, exports: TreeExports, trees: TreeStore, portmap: PortmapServer?)? {
        do {
            guard geteuid() == 0 else {
                throw SetupError("files are opened with the rights of the callers: run as root")
            }
            let trees = try TreeStore(state: setup.state, catalog: catalog, logger: logger)
            do throws(MountError) { try TreeLayer.tryOut(in: "\(setup.state.mounts)/trial") } catch {
                logger.warning("no roots over NFS with writes: cow, keep or shared", metadata: ["why": "\(error)"])
            }
            let exports = TreeExports(
                grants: boots.grants,
                trees: trees,
                claims: claims,
                boots: boots,
                peers: peers,
                clock: clock,
                logger: logger,
                held: held
            )
            var limits = NFSServer.Limits()
            limits.leaseSeconds = leaseSeconds
            let server = try NFSServer(
                listen: Endpoint(.any, setup.nfsPort),
                source: exports,
                cache: trees.cache,
                logger: logger,
                limits: limits,
                records: setup.state.nfsClients,
                journal: setup.state.nfsReplies,
                name: "diskless-\(String(trees.serverNumber, radix: 16))"
            )
            exports.cutting { [weak server] in server?.cutOthers(than: $0) }
            trees.forgetting { [weak server] in server?.forget(export: $0) }
            try server.start()
            return (server, exports, trees, setup.hasPortmap ? portmap(beside: server, logger) : nil)
        } catch {
            logger.warning("no roots over NFS, no kept state", metadata: ["why": "\(error)"])
            return nil
        }
    }
}
