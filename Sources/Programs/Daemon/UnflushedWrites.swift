import BlockStorage
import BootModel
import Foundation
import NBD
import Synchronization

/// Keeps a boot from going on with a disk that forgot some of what it had written, as disks do when their power is cut.
///
/// Each disk that a boot writes to has a `DirtyFlag`, in a folder of its node's.
final class UnflushedWrites: Sendable {
    private struct Weak { weak var flag: DirtyFlag? }

    private let directory: String
    private let kernel: String
    /// By their paths: each flag is there once, whoever uses the disk.
    private let flags = Mutex<[String: Weak]>([:])

    /// With the flags in `directory`, under the kernel with this identity.
    init(directory: String, kernel: String) {
        self.directory = directory
        self.kernel = kernel
    }

    /// The disk of a boot, for its machine; `disk` names it among those of the boot.
    ///
    /// Throws an `NBDExportRefusal` when writes to it were lost, and `BlockStorageOpenError`.
    func watched(
        _ storage: any BlockStorage,
        _ disk: String,
        of boot: BootIdentifier,
        _ node: NodeName
    ) throws -> any BlockStorage {
        let folder = "\(directory)/\(node)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let flag = try flags.withLock { flags in
            let path = "\(folder)/\(boot)-\(disk)"
            if let flag = flags[path]?.flag { return flag }
            flags = flags.filter { $0.value.flag != nil }
            // A machine that boots anew remembers nothing of what it wrote before.
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !name.hasPrefix("\(boot)-") {
                try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
            let flag = try DirtyFlag(path: path, kernel: kernel)
            flags[path] = Weak(flag: flag)
            return flag
        }
        guard !flag.hasLostWrites else {
            throw NBDExportRefusal(
                .policy,
                "this server lost its power while \(node) wrote to its \(disk), and with it some of what \(node) had written"
                    + " since it last asked for all to be kept: start \(node) again"
            )
        }
        return FlaggedStorage(storage, flag: flag)
    }

    /// Makes all durable that was written; for an orderly end, when nobody writes any more.
    func settle() {
        for flag in flags.withLock({ $0.values.compactMap(\.flag) }) {
            // What cannot be settled stays flagged.
            do throws(BlockError) { try flag.settle() } catch {}
        }
    }
}
