import AdminAPI
public import AdminServer
import CLinux
import Foundation
public import Registry

extension RegistryBackup {
    /// Copies of a registry as files of the state directory.
    public static func files(of registry: Registry, in state: StateDirectory) -> RegistryBackup {
        RegistryBackup(
            copy: {
                let name = "backup-\(UUID().uuidString.lowercased()).sqlite"
                let path = "\(state.path)/\(name)"
                try registry.copy(to: path)
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64
                return RegistryCopy(file: name, bytes: size ?? 0)
            },
            restore: { copy in
                // A name of the state directory and nothing else: the API gives no way to other files.
                guard !copy.file.contains("/"), copy.file.hasSuffix(".sqlite"), copy.file != "registry.sqlite" else {
                    throw AdminProblem("\"\(copy.file)\" is not a copy in the state directory")
                }
                try registry.restore(from: "\(state.path)/\(copy.file)")
            }
        )
    }
}
