public import BootModel
internal import CLinux
internal import Synchronization

/// The images of one state directory.
///
///     <state>/images/debian/7/manifest.json     what the version is, where it came from
///                            /kernel, initramfs, root.squashfs or root.ext4, packages.txt   (mode 0444)
///                          /.last              the highest number ever given, so that none is given twice
///                          /.lock              held by the one process that builds this image
///                          /.building-<pid>    a version that is being made; renamed when it is whole
///                          /.removing-<number> a version that is being deleted
///
/// A version appears by one rename of a directory whose files are already on stable storage, and never changes.
public final class ImageStore: Sendable {
    /// The directory that holds one directory for each image.
    public let directory: String
    private let cache = Mutex<[ImageVersionID: ImageManifest]>([:])

    /// The images below `<state>/images`.
    ///
    /// Leftovers of interrupted builds and removals are deleted where nobody works.
    ///
    /// The directory itself is made by the first build.
    public init(state: String) {
        directory = state + "/images"
        for name in (try? imageNames()) ?? [] { sweep(name) }
    }

    /// The images that have at least one version, by name.
    public func names() throws(ImageStoreError) -> [ImageName] {
        var names: [ImageName] = []
        for name in try imageNames() where try !numbers(of: name).isEmpty { names.append(name) }
        return names
    }

    /// The version numbers of an image, ascending; empty when there is no such image.
    public func numbers(of name: ImageName) throws(ImageStoreError) -> [Int] {
        try DurableFiles.names(in: path(of: name)).compactMap(Self.number).sorted()
    }

    /// What a version's manifest says; throws ``ImageStoreError/unknownImage(_:known:)`` or
    /// ``ImageStoreError/unknownVersion(_:known:)`` when it is not stored.
    public func manifest(of id: ImageVersionID) throws(ImageStoreError) -> ImageManifest {
        let path = path(of: id) + "/manifest.json"
        guard unsafe access(path, F_OK) == 0 else {
            cache.withLock { _ = $0.removeValue(forKey: id) }
            let numbers = try numbers(of: id.name)
            guard !numbers.isEmpty else { throw .unknownImage(id.name, known: try names()) }
            guard numbers.contains(id.number) else { throw .unknownVersion(id, known: numbers) }
            throw .badManifest(path: path, reason: "it is missing")
        }
        // Versions never change, so what was read once holds as long as the version is there.
        if let manifest = cache.withLock({ $0[id] }) { return manifest }
        let bytes = try DurableFiles.read(path, limit: 4 << 20) ?? []
        let manifest = try ManifestDocument.decode(bytes, path: path)
        guard manifest.version.id == id else {
            throw .badManifest(path: path, reason: "it describes \(manifest.version.id)")
        }
        cache.withLock { $0[id] = manifest }
        return manifest
    }

    /// The manifest that a reference names now, or the error that says why there is none.
    public func manifest(for reference: ImageReference) throws(ImageStoreError) -> ImageManifest {
        switch reference {
        case .version(let id): return try manifest(of: id)
        case .tag(let name, let tag): throw .unknownTag(name, tag)
        case .newest(let name):
            guard let number = try numbers(of: name).last else { throw .unknownImage(name, known: try names()) }
            return try manifest(of: ImageVersionID(name, number))
        }
    }

    /// Every stored version by name and number, and the problems of those that cannot be read.
    public func list() throws(ImageStoreError) -> (manifests: [ImageManifest], problems: [ImageStoreError]) {
        var manifests: [ImageManifest] = []
        var problems: [ImageStoreError] = []
        for name in try imageNames() {
            for number in try numbers(of: name) {
                do throws(ImageStoreError) {
                    manifests.append(try manifest(of: ImageVersionID(name, number)))
                } catch {
                    problems.append(error)
                }
            }
        }
        return (manifests, problems)
    }

    /// The directory of an image, whether it exists or not.
    func path(of name: ImageName) -> String { directory + "/" + name.text }

    /// The directory of a version, whether it exists or not.
    public func path(of id: ImageVersionID) -> String { path(of: id.name) + "/\(id.number)" }

    /// A directory name as a version number; nil for anything that this program would not write.
    static func number(_ text: String) -> Int? {
        guard let number = Int(text), number > 0, String(number) == text else { return nil }
        return number
    }

    func forget(_ id: ImageVersionID) {
        cache.withLock { _ = $0.removeValue(forKey: id) }
    }

    private func imageNames() throws(ImageStoreError) -> [ImageName] {
        try DurableFiles.names(in: directory).compactMap { ImageName($0) }
    }

    /// Deletes what interrupted work left in an image's directory, unless somebody works there.
    ///
    /// Failing is fine: the
    /// next one to open the store tries again.
    private func sweep(_ name: ImageName) {
        let names = (try? DurableFiles.names(in: path(of: name))) ?? []
        guard names.contains(where: Self.isLeftover) else { return }
        guard let lock = try? StoreLock(image: name, directory: path(of: name)) else { return }
        try? removeLeftovers(of: name, lock)
    }

    /// Deletes what interrupted work left; the caller holds the lock.
    func removeLeftovers(of name: ImageName, _ lock: borrowing StoreLock) throws(ImageStoreError) {
        for leftover in try DurableFiles.names(in: path(of: name)) where Self.isLeftover(leftover) {
            try TreeRemoval.remove(path(of: name) + "/" + leftover)
        }
    }

    private static func isLeftover(_ name: String) -> Bool {
        name.hasPrefix(".building-") || name.hasPrefix(".removing-")
    }
}

extension ImageStore: ImageCatalog {
    /// Every version that can be read, oldest first within an image.
    ///
    /// ``list()`` also tells which cannot.
    public func versions() throws -> [ImageVersion] { try list().manifests.map(\.version) }

    /// The version that a reference names now; nil when there is none.
    public func resolve(_ reference: ImageReference) throws -> ImageVersion? {
        do throws(ImageStoreError) {
            return try manifest(for: reference).version
        } catch .unknownImage, .unknownVersion, .unknownTag {
            return nil
        }
    }

    /// The version that was made last, of any image; nil when there is none.
    public func newest() throws -> ImageVersion? {
        try versions().max { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    /// The path of a version's file; throws when the version is not stored or has no such file.
    public func path(of role: ImageFileRole, in version: ImageVersionID) throws -> String {
        guard let file = try manifest(of: version).version.files[role] else {
            throw ImageStoreError.badManifest(
                path: path(of: version) + "/manifest.json",
                reason: "it names no \(role.rawValue)"
            )
        }
        return path(of: version) + "/" + file.name
    }
}
