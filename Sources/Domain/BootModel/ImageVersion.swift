/// What the rest of the program needs to know of one immutable version of an image.
public struct ImageVersion: Hashable, Sendable, Codable {
    /// Which one.
    public var id: ImageVersionID
    /// The processor it runs on, by Debian's name: `amd64`, `arm64`, `armhf`.
    public var architecture: String
    /// The kernel's release as `uname -r` prints it; its modules lie in `/lib/modules/<release>`.
    public var kernelRelease: String
    /// What the root file is.
    public var rootFormat: RootFormat
    /// When it was made.
    public var created: Timestamp
    /// Arguments that every boot of this version gets, before those of the node's settings.
    public var kernelArguments: [String]
    /// Its files by role.
    public var files: [ImageFileRole: ImageFile]

    /// A version from its parts.
    public init(
        id: ImageVersionID,
        architecture: String,
        kernelRelease: String,
        rootFormat: RootFormat,
        created: Timestamp,
        kernelArguments: [String] = [],
        files: [ImageFileRole: ImageFile]
    ) {
        self.id = id
        self.architecture = architecture
        self.kernelRelease = kernelRelease
        self.rootFormat = rootFormat
        self.created = created
        self.kernelArguments = kernelArguments
        self.files = files
    }
}

/// The file system inside an image's root file.
public enum RootFormat: String, Hashable, Sendable, Codable, CaseIterable {
    /// Compressed and read-only.
    case squashfs
    /// Read-only, larger and quicker to read than squashfs.
    case erofs
    /// Writable: for `cow` and `shared`.
    case ext4
    /// Writable: for `cow` and `shared`.
    case btrfs

    /// Whether a node can mount it for writing.
    public var isWritable: Bool { self == .ext4 || self == .btrfs }
    /// The name of the root file, such as `root.squashfs`.
    public var fileName: String { "root.\(rawValue)" }
}

/// What a file of an image version is for.
public enum ImageFileRole: String, Hashable, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
    /// The kernel that the loader starts.
    case kernel
    /// The initramfs that finds the root.
    case initramfs
    /// The root file system.
    case root
    /// What a Raspberry Pi's firmware fetches before the kernel: the files of /boot/firmware as a cpio archive.
    case firmware
}

/// One file of an image version.
public struct ImageFile: Hashable, Sendable, Codable {
    /// Its name in the version's directory, without folders.
    public var name: String
    /// Its size in bytes.
    public var size: Int64
    /// Its SHA-256 digest, 64 lower-case hexadecimal digits.
    public var sha256: String

    /// A file from its parts.
    public init(name: String, size: Int64, sha256: String) {
        self.name = name
        self.size = size
        self.sha256 = sha256
    }
}
