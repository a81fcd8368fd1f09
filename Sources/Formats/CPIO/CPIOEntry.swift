/// One file of a cpio archive in the "new ASCII" form that the Linux kernel unpacks as an initramfs.
///
/// Source: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel.
public struct CPIOEntry: Equatable, Sendable {
    /// What a file is: the upper four bits of its mode.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The bits as stat(2) gives them, such as 0o100000.
        public var rawValue: UInt32
        /// A kind by its bits; others than `S_IFMT` are dropped.
        public init(rawValue: UInt32) { self.rawValue = rawValue & 0o170000 }

        /// A regular file.
        public static let file = Kind(rawValue: 0o100000)
        /// A directory.
        public static let directory = Kind(rawValue: 0o040000)
        /// A symbolic link; its target is the entry's data.
        public static let link = Kind(rawValue: 0o120000)
        /// A character device.
        public static let characterDevice = Kind(rawValue: 0o020000)
        /// A block device.
        public static let blockDevice = Kind(rawValue: 0o060000)
    }

    /// The path without a leading slash.
    public var path: String
    /// What the file is.
    public var kind: Kind
    /// The lower twelve bits of the mode.
    public var permissions: UInt32
    /// The owner's number.
    public var owner: UInt32 = 0
    /// The group's number.
    public var group: UInt32 = 0
    /// Seconds since 1970; 0 keeps archives reproducible.
    public var modified: UInt32 = 0
    /// The device's major number, for devices.
    public var deviceMajor: UInt32 = 0
    /// The device's minor number, for devices.
    public var deviceMinor: UInt32 = 0
    /// A file's content, or a link's target.
    public var data: [UInt8]

    /// An entry with every field that is not always zero.
    public init(path: String, kind: Kind, permissions: UInt32, data: [UInt8] = []) {
        self.path = path
        self.kind = kind
        self.permissions = permissions & 0o7777
        self.data = data
    }

    /// A regular file.
    public static func file(_ path: String, _ data: [UInt8], permissions: UInt32 = 0o644) -> CPIOEntry {
        CPIOEntry(path: path, kind: .file, permissions: permissions, data: data)
    }

    /// A directory.
    public static func directory(_ path: String, permissions: UInt32 = 0o755) -> CPIOEntry {
        CPIOEntry(path: path, kind: .directory, permissions: permissions)
    }

    /// A symbolic link to `target`.
    public static func link(_ path: String, to target: String) -> CPIOEntry {
        CPIOEntry(path: path, kind: .link, permissions: 0o777, data: Array(target.utf8))
    }

    /// A character device.
    public static func characterDevice(
        _ path: String,
        major: UInt32,
        minor: UInt32,
        permissions: UInt32
    ) -> CPIOEntry {
        var entry = CPIOEntry(path: path, kind: .characterDevice, permissions: permissions)
        entry.deviceMajor = major
        entry.deviceMinor = minor
        return entry
    }
}
