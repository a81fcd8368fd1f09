import ArgumentParser
import BootModel
import ImageStore

/// `diskless image show IMAGE`: what a version is, what is in it and where it came from.
struct ImageShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what an image version is.")

    @Argument(help: "The image: debian (its newest version), debian@7 or debian:tag.", transform: ImageText.reference)
    var image: ImageReference
    @Flag(help: "Print the manifest as JSON.")
    var json = false
    @OptionGroup var state: StateOption

    func run() throws {
        let store = ImageStore(state: state.path)
        let manifest = try store.manifest(for: image)
        print(
            json ? try ImageText.json(manifest) : ImageText.details(manifest, path: store.path(of: manifest.version.id))
        )
    }
}
