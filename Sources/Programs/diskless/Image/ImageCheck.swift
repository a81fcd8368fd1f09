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
    @Flag(help: "Print what was found as JSON.")
    var json = false
    @OptionGroup var state: StateOption

    /// What was found in one version.
    private struct Finding: Encodable {
        var image: String
        var faults: [String]
    }

    /// What was found in all.
    private struct Report: Encodable {
        var images: [Finding]
        /// Versions that cannot be read at all.
        var problems: [String]
    }

    func run() throws {
        let store = ImageStore(state: state.path)
        let versions: [ImageVersionID]
        var problems: [String] = []
        if let image {
            versions = [try store.manifest(for: image).version.id]
        } else {
            let found = try store.list()
            versions = found.manifests.map(\.version.id)
            problems = found.problems.map { "\($0)" }
        }
        if !json { problems.forEach { print($0) } }
        var findings: [Finding] = []
        for version in versions {
            let faults = try store.check(version).map { "\($0)" }
            findings.append(Finding(image: "\(version)", faults: faults))
            if json { continue }
            if faults.isEmpty { print("\(version): ok") }
            faults.forEach { print($0) }
        }
        if json { print(try ImageText.json(Report(images: findings, problems: problems))) }
        let isSound = problems.isEmpty && findings.allSatisfy(\.faults.isEmpty)
        if !isSound { throw ExitCode.failure }
    }
}
