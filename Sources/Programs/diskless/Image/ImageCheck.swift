import ArgumentParser
import BootModel
import ImageStore

/// `diskless image check`: compares stored files with the digests of their manifests.
struct ImageCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare an image's files with their digests."
    )

    @Argument(help: "The image; every version of every image if none is named.", transform: ImageText.reference)
    var image: ImageReference?
    @OptionGroup var state: StateOption

    func run() throws {
        let store = ImageStore(state: state.path)
        let versions: [ImageVersionID]
        var isSound = true
        if let image {
            versions = [try store.manifest(for: image).version.id]
        } else {
            let (manifests, problems) = try store.list()
            versions = manifests.map(\.version.id)
            for problem in problems { print(problem) }
            isSound = problems.isEmpty
        }
        for version in versions {
            let faults = try store.check(version)
            if faults.isEmpty { print("\(version): ok") }
            for fault in faults { print(fault) }
            isSound = isSound && faults.isEmpty
        }
        if !isSound { throw ExitCode.failure }
    }
}
