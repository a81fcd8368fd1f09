import BootModel
import CLinux
import ImageStore
import Testing

@testable import ImageBuilder

/// A whole build, with a stand-in for the initramfs, which has tests of its own.
@Suite(.tags(.endToEnd)) struct BuildTests {
    private struct NoInitramfs: InitramfsMaking {
        func makeInitramfs(tree: String, release: String, architecture: String, time: Int64, output: String) throws {
            try HostFile.write(release, to: output)
        }
    }

    static let isWanted = unsafe getenv("DISKLESS_END_TO_END") != nil

    @Test(.enabled(if: isWanted, "set DISKLESS_END_TO_END to build a real image"), .timeLimit(.minutes(15)))
    func debianImage() throws {
        let state = "/var/tmp/diskless-build-\(getpid())"
        defer { try? TreeRemoval.remove(state) }
        let store = ImageStore(state: state)
        let builder = ImageBuilder(
            store: store,
            state: state,
            initramfs: NoInitramfs(),
            interruption: try Interruption(),
            progress: { _ in }
        )
        var recipe = DebianRecipe()
        recipe.kernel = .cloud
        recipe.rootPassword = "secret"
        let manifest = try builder.build(ImageName(checked: "debian"), recipe)
        #expect(try store.check(manifest.version.id) == [])
        #expect(manifest.version.kernelRelease.hasSuffix("-cloud-amd64"))
        #expect(manifest.provenance.packageCount ?? 0 > 80)
    }
}
