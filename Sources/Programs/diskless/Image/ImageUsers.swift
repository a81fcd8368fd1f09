import AdminAPI
import BootModel
import Daemon

/// Which nodes run a version.
enum ImageUsers {
    /// The nodes whose root is connected to `version` now, as the server of this state directory knows; when none runs,
    /// those whose last boot was given it, for they may wait for the server.
    static func nodes(using version: ImageVersionID, state: String) throws -> [String] {
        let client = AdminClient(socketPath: StateDirectory(state).adminSocket)
        let status: StatusReply
        do {
            status = try client.status()
        } catch AdminClientError.notRunning {
            return WaitingNodes.nodes(using: version, state: StateDirectory(state)).map(\.text)
        }
        return status.server.roots.filter { $0.image == version }.map(\.node.text).sorted()
    }
}
