import BootModel
import CLinux
import Logging
import NFSServer
import NetworkIO
import NetworkTypes

extension Server {
    /// Serves trees over NFS, unless something is missing for that: then roots over NBD are served all the same.
    static func nfs(
        _ setup: ServerSetup,
        _ catalog: any ImageCatalog,
        _ boots: BootService,
        _ peers: PeerDirectory,
        _ clock: any Clock,
        _ logger: Logger,
        held: @escaping @Sendable (MACAddress, _ isConnected: Bool) -> Void
    ) -> (server: NFSServer, exports: TreeExports, trees: TreeStore)? {
        do {
            guard geteuid() == 0 else {
                throw SetupError("files are opened with the rights of the callers: run as root")
            }
            let trees = try TreeStore(state: setup.state, catalog: catalog, logger: logger)
            let exports = TreeExports(
                grants: boots.grants,
                trees: trees,
                boots: boots,
                peers: peers,
                clock: clock,
                logger: logger,
                held: held
            )
            let server = try NFSServer(
                listen: Endpoint(.any, setup.nfsPort),
                source: exports,
                cache: trees.cache,
                logger: logger
            )
            exports.cutting { [weak server] in server?.cutOthers(than: $0) }
            try server.start()
            return (server, exports, trees)
        } catch {
            logger.warning("no roots over NFS, no kept state", metadata: ["why": "\(error)"])
            return nil
        }
    }
}
