import BootModel
import CLinux
import Logging
import NetworkIO

/// Makes home directories where this server exports them to nodes: root of a node is nobody there.
struct HomeDirectories: Sendable {
    let logger: Logger

    /// Makes what is missing of these users' homes in directories that `mounts` take from this server to write.
    ///
    /// Only the directories themselves, readable by their owners alone; the node's agent fills them. What cannot be made
    /// is logged.
    func make(for users: [User], mounts: [Mount]) {
        for user in users {
            let around = mounts.filter { user.home.isInside($0.path) }
            // The innermost mount is what the node sees there.
            guard case .nfs(let directory, let path, .readWrite, nil, _)? = around.max(by: { $0.path < $1.path }),
                user.home != path
            else { continue }
            let names = user.home.text.dropFirst(path.text.count + 1).split(separator: "/").map(String.init)
            do {
                try Self.make(names, in: directory.text, for: user.uid)
            } catch {
                logger.warning("no home for user \(user.name)", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func make(_ names: [String], in directory: String, for owner: uid_t) throws(SystemCallError) {
        let flags = CInt(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        var folder = try FileDescriptor("open \(directory)", unsafe clinux_open(directory, flags, 0))
        var isNew = false
        for (index, name) in names.enumerated() {
            let isLast = index == names.count - 1
            isNew = false
            // A link there is somebody's doing, and leads where it likes.
            var next = unsafe clinux_openat(folder.number, name, flags | CInt(O_NOFOLLOW), 0)
            if next < 0, clinux_errno() == ENOENT {
                try check("make \(name) in \(directory)", unsafe mkdirat(folder.number, name, 0o700))
                next = unsafe clinux_openat(folder.number, name, flags | CInt(O_NOFOLLOW), 0)
                isNew = true
            }
            folder = try FileDescriptor("open \(name) in \(directory)", next)
            if isNew, !isLast { try check("set the mode of \(name)", fchmod(folder.number, 0o755)) }
        }
        if isNew { try check("give \(names.last ?? "") to its owner", fchown(folder.number, owner, owner)) }
    }
}
