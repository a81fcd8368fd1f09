import CPIO

/// Builds the initramfs of a node from the tree of its image, without running anything of the image.
///
/// It holds the image's static busybox, the kernel modules that network card and root need, the firmware files that
/// these name, and our node programs. The same input gives the same bytes. docs/protocols/node.md has the contract.
public struct InitramfsBuilder: Sendable {
    /// The directory that holds the image's files.
    public var tree: String
    /// The kernel release: the name below `lib/modules`.
    public var release: String
    /// Debian's name of the processor: `amd64`, `arm64`, `armhf`.
    public var architecture: String
    /// The directory with `init` and its parts, and `nbd-attach-<architecture>` in it or in `build/`.
    public var programs: String
    /// A static busybox to take instead of the image's.
    public var busybox: String?
    /// How to compress; nil takes the best that the image's kernel is known to unpack.
    public var compression: Compression?
    /// Which modules go in.
    public var rules: ModuleRules
    /// The time that all files get, seconds since 1970.
    public var time: UInt32

    /// A builder for one kernel of one image.
    public init(
        tree: String,
        release: String,
        architecture: String,
        programs: String,
        busybox: String? = nil,
        compression: Compression? = nil,
        rules: ModuleRules = .standard,
        time: UInt32 = 0
    ) {
        self.tree = tree
        self.release = release
        self.architecture = architecture
        self.programs = programs
        self.busybox = busybox
        self.compression = compression
        self.rules = rules
        self.time = time
    }

    /// Writes the initramfs to `path`, which appears only when it is complete and on stable storage.
    ///
    /// - Throws: `InitramfsError`.
    public func build(into path: String) throws(InitramfsError) {
        let image = try FileTree(tree)
        let entries = try entries(of: image)
        var writer = CPIOWriter()
        for var entry in entries {
            entry.modified = time
            do { try writer.add(entry) } catch { throw .archive(error.description) }
        }
        let chosen: Compression
        if let compression { chosen = compression } else { chosen = try Compression.best(for: release, in: image) }
        try OutputFile.write(to: path) { descriptor throws(InitramfsError) in
            try chosen.compress(writer.finish(), into: descriptor)
        }
    }

    /// The archive's files, parents before children, sorted by path.
    func entries(of image: borrowing FileTree) throws(InitramfsError) -> [CPIOEntry] {
        var files: [CPIOEntry] = try NodePrograms(directory: programs, architecture: architecture, busybox: busybox)
            .entries(image: image)
        let index = try ModuleIndex(release: release, image: image)
        let selection = try rules.select(from: index)
        let folder = "lib/modules/\(release)/"
        for path in selection.paths {
            guard let data = try ModuleFile.read(index.folder + path, in: image) else { throw .missingModuleFile(path) }
            files.append(.file(folder + ModuleFile.plainPath(path), data))
            for name in ModuleFile.firmwareNames(of: data) {
                guard let firmware = try ModuleFile.readFirmware(name, release: release, in: image) else { continue }
                files.append(.file("lib/firmware/" + name, firmware))
            }
        }
        files.append(.file(folder + "modules.dep", Array(selection.dependencyLines(index).utf8)))
        files.append(.file(folder + "modules.alias", Array(selection.aliasLines(index).utf8)))
        files.append(.file(folder + "modules.builtin", Array(index.builtinLines.utf8)))
        return Self.withParents(files)
    }

    /// Adds the directories that the files lie in; of several files with one path the first stays.
    static func withParents(_ files: [CPIOEntry]) -> [CPIOEntry] {
        var byPath: [String: CPIOEntry] = [:]
        for file in files {
            let parts = file.path.split(separator: "/")
            for count in 1..<max(parts.count, 1) {
                let parent = parts.prefix(count).joined(separator: "/")
                if byPath[parent] == nil { byPath[parent] = .directory(parent) }
            }
            if byPath[file.path] == nil { byPath[file.path] = file }
        }
        // A directory's name is a prefix of what lies in it, so it sorts before that.
        return byPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
}
