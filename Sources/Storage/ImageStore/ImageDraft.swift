public import BootModel
internal import CLinux
internal import Digests

/// A version that is being made: two directories beside the image's versions, on the same file system, and the lock
/// that keeps other builders of the image away.
///
/// Put the version's files into ``files``, use ``work`` for everything else, then ``publish(_:)``. A draft that goes
/// away unpublished takes both directories with it.
public final class ImageDraft {
    /// The image.
    public let name: ImageName
    /// The directory whose content becomes the version.
    public let files: String
    /// A directory for the work itself, deleted at the end.
    public let work: String

    private let store: ImageStore
    private let place: String
    // Given back as soon as the draft is done, however long somebody keeps the object.
    private var lock: StoreLock?
    private var isOpen = true

    init(_ name: ImageName, in store: ImageStore) throws(ImageStoreError) {
        let directory = store.path(of: name)
        try DurableFiles.makeDirectory(directory)
        let lock = try StoreLock(image: name, directory: directory)
        self.name = name
        self.store = store
        place = directory + "/.building-\(getpid())"
        files = place + "/files"
        work = place + "/work"
        try store.removeLeftovers(of: name, lock)
        try DurableFiles.makeDirectory(files)
        try DurableFiles.makeDirectory(work)
        self.lock = consume lock
    }

    deinit {
        if isOpen { try? TreeRemoval.remove(place) }
    }

    /// What the caller says of the version; the store adds number, time, sizes and digests.
    public struct Description {
        /// The processor it runs on, by Debian's name.
        public var architecture: String
        /// The kernel's release.
        public var kernelRelease: String
        /// What the root file is.
        public var rootFormat: RootFormat
        /// Arguments that every boot of the version gets.
        public var kernelArguments: [String]
        /// The name in ``ImageDraft/files`` of each role's file.
        public var roles: [ImageFileRole: String]
        /// Names in ``ImageDraft/files`` of further files to keep.
        public var extraFiles: [String]
        /// How it was made.
        public var provenance: ImageProvenance

        /// A description from its parts.
        public init(
            architecture: String,
            kernelRelease: String,
            rootFormat: RootFormat,
            kernelArguments: [String] = [],
            roles: [ImageFileRole: String],
            extraFiles: [String] = [],
            provenance: ImageProvenance
        ) {
            self.architecture = architecture
            self.kernelRelease = kernelRelease
            self.rootFormat = rootFormat
            self.kernelArguments = kernelArguments
            self.roles = roles
            self.extraFiles = extraFiles
            self.provenance = provenance
        }
    }

    /// Makes the files durable and immutable, gives the version the next number and moves it into place.
    ///
    /// When this returns the version is on stable storage; when it throws there is no version and no leftover.
    public func publish(_ description: Description) throws(ImageStoreError) -> ImageManifest {
        precondition(isOpen, "a draft is published once")
        defer { discard() }
        var roles: [ImageFileRole: ImageFile] = [:]
        for (role, file) in description.roles { roles[role] = try seal(file) }
        var extraFiles: [ImageFile] = []
        for file in description.extraFiles.sorted() { extraFiles.append(try seal(file)) }

        let directory = store.path(of: name)
        let number = try nextNumber(directory)
        let manifest = ImageManifest(
            version: ImageVersion(
                id: ImageVersionID(name, number),
                architecture: description.architecture,
                kernelRelease: description.kernelRelease,
                rootFormat: description.rootFormat,
                created: Self.now(),
                kernelArguments: description.kernelArguments,
                files: roles
            ),
            extraFiles: extraFiles,
            provenance: description.provenance
        )
        let path = files + "/manifest.json"
        do {
            try DurableFiles.write(try ManifestDocument.encode(manifest), to: path)
        } catch let error as ImageStoreError {
            throw error
        } catch {
            throw .badManifest(path: path, reason: "\(error)")
        }
        try DurableFiles.seal(path, mode: 0o444)
        try DurableFiles.seal(files, mode: 0o755)
        // The counter first: a crash in between loses a number, the other order could give one twice.
        try DurableFiles.replace(directory + "/.last", with: Array("\(number)\n".utf8))
        guard unsafe rename(files, directory + "/\(number)") == 0 else {
            throw .lastSystemError("move into place", directory + "/\(number)")
        }
        try DurableFiles.seal(directory)
        try DurableFiles.seal(store.directory)
        return manifest
    }

    /// Deletes the draft's directories now.
    public func discard() {
        guard isOpen else { return }
        isOpen = false
        try? TreeRemoval.remove(place)
        lock = nil
    }

    private func seal(_ file: String) throws(ImageStoreError) -> ImageFile {
        let path = files + "/" + file
        try DurableFiles.seal(path, mode: 0o444)
        do throws(DigestError) {
            let (digest, size) = try SHA256Digest.ofFile(path)
            return ImageFile(name: file, size: Int64(size), sha256: digest.hex)
        } catch {
            throw ImageStoreError(error, path: path)
        }
    }

    private func nextNumber(_ directory: String) throws(ImageStoreError) -> Int {
        let text = try DurableFiles.read(directory + "/.last", limit: 64) ?? []
        let last = ImageStore.number(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)) ?? 0
        return max(last, try store.numbers(of: name).last ?? 0) + 1
    }

    private static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        // As fine as its text, so that a manifest read back equals the one written.
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000_000 * 1000)
    }
}

extension ImageStore {
    /// Begins a new version of an image; throws ``ImageStoreError/locked(_:process:)`` when somebody else is at it.
    public func draft(_ name: ImageName) throws(ImageStoreError) -> ImageDraft {
        try ImageDraft(name, in: self)
    }
}
