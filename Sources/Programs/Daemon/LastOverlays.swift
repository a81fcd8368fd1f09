import AdminAPI
import BootModel
import CLinux
import Foundation
import NetworkIO

/// What nodes' overlay files were at their last boots, without what is secret: for `diskless files render`.
struct LastOverlays: Sendable {
    /// The folder, one file a node.
    let directory: String

    /// Keeps the files of a boot in place of those of the boot before; the disk may take its time.
    func keep(_ files: [ShownFile], of node: NodeName) throws {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let path = self.path(node)
        let data = try JSONEncoder().encode(files)
        let draft = path + ".new"
        let file = try FileDescriptor(
            "make \(draft)",
            unsafe clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        )
        try FileHandle(fileDescriptor: file.number, closeOnDealloc: false).write(contentsOf: data)
        try check("rename \(draft)", unsafe rename(draft, path))
    }

    /// The files of a node's last boot; nil when it has not booted.
    func files(of node: NodeName) -> [ShownFile]? {
        guard let data = FileManager.default.contents(atPath: path(node)) else { return nil }
        return try? JSONDecoder().decode([ShownFile].self, from: data)
    }

    private func path(_ node: NodeName) -> String { "\(directory)/\(node).json" }
}
