/// The steps of a build, in their order.
public enum BuildPhase: String, Sendable, CaseIterable {
    /// Options, tools and room are looked at.
    case prepare = "preparing"
    /// mmdebstrap makes the tree.
    case packages = "installing packages"
    /// The tree is made fit for nodes.
    case tree = "adapting the system"
    /// The kernel is taken out and the initramfs made.
    case initramfs = "making the initramfs"
    /// The tree becomes one file.
    case root = "packing the root"
    /// Digests are taken and the version appears.
    case publish = "publishing"
}

/// What a build tells while it runs.
public enum BuildProgress: Sendable, Hashable {
    /// A step begins.
    case phase(BuildPhase)
    /// A line that a tool wrote.
    case line(String)
    /// Something that the user should know although the build goes on.
    case warning(String)
}

/// Makes the initramfs of a version from its tree; given by the caller, as what runs on a node is not the builder's matter.
public protocol InitramfsMaking {
    /// Writes the initramfs for the kernel `release` whose modules lie in `<tree>/lib/modules/<release>`.
    ///
    /// - Parameters:
    ///   - architecture: Debian's name of the processor.
    ///   - time: the time that all files get, in seconds since 1970.
    func makeInitramfs(tree: String, release: String, architecture: String, time: Int64, output: String) throws
}
