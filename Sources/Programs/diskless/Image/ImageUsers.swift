import AdminAPI
import BootModel
import Daemon

/// Which nodes run a version.
enum ImageUsers {
    /// The nodes whose root is connected to `version` now, as far as the server of this state directory knows.
    ///
    /// None when no server runs: then nobody is connected.
    static func nodes(using version: ImageVersionID, state: String) throws -> [String] {
        let client = AdminClient(socketPath: StateDirectory(state).adminSocket)
        let status: StatusReply
        do {
            status = try client.status()
        } catch AdminClientError.notRunning {
            return []
        }
        return status.server.roots.filter { $0.image == version }.map(\.node.text).sorted()
    }
}
