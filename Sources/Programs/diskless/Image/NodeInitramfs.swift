import CLinux
import Foundation
import ImageBuilder
import InitramfsBuilder

/// The initramfs of an image version, made from its own tree and the programs of `libexec/diskless`.
struct NodeInitramfs: InitramfsMaking {
    /// The directory of the node programs.
    let programs: String

    init() throws {
        programs = try NodeProgramFolder.find()
    }

    func makeInitramfs(tree: String, release: String, architecture: String, time: Int64, output: String) throws {
        let builder = InitramfsBuilder(
            tree: tree,
            release: release,
            architecture: architecture,
            programs: programs,
            time: UInt32(clamping: time)
        )
        try builder.build(into: output)
    }
}

/// Where the programs lie that run on nodes: `libexec/diskless` beside the `bin` of this program when it is installed, the
/// `node` folder of the source tree when it is run from there.
enum NodeProgramFolder {
    /// Says where they would have to be.
    struct Missing: Error, CustomStringConvertible {
        let tried: [String]
        var description: String {
            "the node programs (init, nbd-attach) are not installed: looked in \(tried.joined(separator: ", ")); "
                + "say make -C node in the source tree, or set DISKLESS_NODE_PROGRAMS to their directory"
        }
    }

    static func find() throws -> String {
        if let wish = unsafe getenv("DISKLESS_NODE_PROGRAMS") { return unsafe String(cString: wish) }
        var candidates: [String] = []
        var folder = executable.split(separator: "/").dropLast()
        candidates.append("/" + (folder.dropLast() + ["libexec", "diskless"]).joined(separator: "/"))
        while !folder.isEmpty {
            folder = folder.dropLast()
            candidates.append((folder.isEmpty ? "" : "/") + folder.joined(separator: "/") + "/node")
        }
        guard let found = candidates.first(where: { unsafe access($0 + "/init", R_OK) == 0 }) else {
            throw Missing(tried: candidates)
        }
        return found
    }

    /// The absolute path of this program.
    private static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
    }
}
