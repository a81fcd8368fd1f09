public import BootModel
import Foundation
import Registry

/// What the state directory says of images while no server runs.
public enum WaitingNodes {
    /// The nodes whose last boot was given `version`: they may run and wait for a server.
    public static func nodes(using version: ImageVersionID, state: StateDirectory) -> [NodeName] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: state.grants)) ?? []
        let boots = files.filter { $0.hasSuffix(".json") }.flatMap { file -> [BootGrants] in
            guard let data = FileManager.default.contents(atPath: "\(state.grants)/\(file)") else { return [] }
            return (try? JSONDecoder().decode([BootGrants].self, from: data)) ?? []
        }
        return Set(boots.filter { $0.image == version || $0.otherImages.contains(version) }.map(\.node)).sorted()
    }

    /// The tags that name `version`; none without a registry.
    ///
    /// Throws `RegistryError`.
    public static func tags(of version: ImageVersionID, state: StateDirectory) throws -> [ImageTag.Name] {
        guard FileManager.default.fileExists(atPath: state.registry) else { return [] }
        let registry = try Registry(stateDirectory: state.path)
        defer { registry.close() }
        return registry.fleet().tags.values.filter { $0.version == version }.map(\.name).sorted()
    }
}
