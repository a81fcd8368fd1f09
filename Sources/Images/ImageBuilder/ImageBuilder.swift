public import BootModel
internal import CLinux
public import ImageStore

/// Builds image versions: a recipe goes in, an immutable version in the store comes out, or nothing at all.
public struct ImageBuilder {
    private let store: ImageStore
    private let state: String
    private let initramfs: any InitramfsMaking
    private let interruption: Interruption
    private let progress: (BuildProgress) -> Void

    /// A builder for the images of a state directory.
    ///
    /// - Parameters:
    ///   - state: the state directory; fetched packages are kept in `<state>/cache/apt` for the next build.
    ///   - initramfs: makes the initramfs.
    ///   - interruption: who may ask to stop.
    ///   - progress: told of every step and line, on the caller's thread.
    public init(
        store: ImageStore,
        state: String,
        initramfs: any InitramfsMaking,
        interruption: Interruption,
        progress: @escaping (BuildProgress) -> Void
    ) {
        self.store = store
        self.state = state
        self.initramfs = initramfs
        self.interruption = interruption
        self.progress = progress
    }

    /// Makes the next version of an image.
    ///
    /// - Parameter command: the command line to keep in the manifest, without secrets.
    public func build(_ name: ImageName, _ recipe: DebianRecipe, command: [String] = []) throws -> ImageManifest {
        progress(.phase(.prepare))
        try recipe.validate()
        guard geteuid() == 0 else { throw BuildError.notRoot }
        let draft = try store.draft(name)
        defer { draft.discard() }
        var build = try DebianBuild(
            recipe: recipe,
            draft: draft,
            cache: state + "/cache/apt/" + recipe.architecture,
            interruption: interruption,
            progress: progress
        )
        do {
            try build.installPackages()
            let release = try build.takeKernel()
            try build.adaptTree()
            try build.takeFirmware(release: release)
            progress(.phase(.initramfs))
            try interruption.check()
            try initramfs.makeInitramfs(
                tree: build.tree,
                release: release,
                architecture: recipe.architecture,
                time: build.time,
                output: draft.files + "/initramfs"
            )
            try build.packRoot()
            progress(.phase(.publish))
            try interruption.check()
            return try draft.publish(build.description(release: release, command: command))
        } catch let error as BuildError {
            throw build.explained(error)
        }
    }
}
