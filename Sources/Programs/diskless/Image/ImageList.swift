import ArgumentParser
import BootModel
import ImageStore

/// `diskless image list`: every version that is stored.
struct ImageList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List images and their versions.")

    @Argument(help: "Only this image.", transform: { try ImageName(validating: $0) })
    var name: ImageName?
    @Flag(help: "Print the manifests as one JSON array.")
    var json = false
    @OptionGroup var state: StateOption

    func run() throws {
        let store = ImageStore(state: state.path)
        let (all, problems) = try store.list()
        let manifests = all.filter { name == nil || $0.version.id.name == name }
        if let name, manifests.isEmpty, problems.isEmpty { _ = try store.manifest(for: .newest(name)) }
        if json {
            print(try ImageText.json(manifests))
        } else if manifests.isEmpty, problems.isEmpty {
            print("There is no image yet: make one with \"diskless image build debian\".")
        } else {
            print(ImageText.table(manifests), terminator: "")
        }
        for problem in problems { BuildDisplay().note("warning: \(problem)") }
        if !problems.isEmpty { throw ExitCode.failure }
    }
}
