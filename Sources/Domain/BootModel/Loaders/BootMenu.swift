public import NetworkTypes

/// What a loader is told to start: one entry, or a menu of them.
///
/// One model for every loader; ``IPXEScript``, ``GRUBConfiguration`` and ``PXELINUXConfiguration`` write it down.
public struct BootMenu: Hashable, Sendable {
    /// Whose menu it is.
    public var node: NodeName
    /// What may be started, in the order it is shown; never empty.
    public var entries: [Entry]
    /// The index of the entry that starts by itself.
    public var defaultIndex: Int
    /// How long a person may choose, in seconds; nil starts the default entry at once and shows no menu.
    public var timeout: Int?

    /// A menu from its parts; `defaultIndex` is brought into range.
    public init(node: NodeName, entries: [Entry], defaultIndex: Int = 0, timeout: Int? = nil) {
        self.node = node
        self.entries = entries
        self.defaultIndex = entries.indices.contains(defaultIndex) ? defaultIndex : 0
        self.timeout = timeout
    }

    /// One line of it.
    public struct Entry: Hashable, Sendable {
        /// What a person reads: `debian@7`, "local disk".
        public var title: String
        /// What it starts.
        public var action: Action

        /// An entry from its parts.
        public init(_ title: String, _ action: Action) {
            self.title = title
            self.action = action
        }
    }

    /// What an entry starts.
    public enum Action: Hashable, Sendable {
        /// A version of an image.
        case linux(LinuxBoot)
        /// The machine's own disk.
        case localDisk
        /// The memory test of the package memtest86+.
        case memoryTest
    }

    /// The entry that starts by itself.
    public var defaultEntry: Entry { entries[defaultIndex] }
    /// Whether a person is asked.
    public var isShown: Bool { timeout != nil && entries.count > 1 }
}

/// A Linux kernel with all that it is started with.
///
/// Paths have no leading slash; they are the same over TFTP and HTTP.
public struct LinuxBoot: Hashable, Sendable {
    /// The image version.
    public var image: ImageVersionID
    /// The kernel: `images/debian/7/kernel`.
    public var kernel: String
    /// The initramfs archives in the order the kernel unpacks them.
    public var initramfs: [String]
    /// The command line for loaders that put nothing in themselves.
    public var arguments: [String]
    /// The command line for iPXE, which puts in what another DHCP server gave it.
    public var ipxeArguments: [String]

    /// A boot from its parts.
    public init(
        image: ImageVersionID,
        kernel: String,
        initramfs: [String],
        arguments: [String],
        ipxeArguments: [String]? = nil
    ) {
        self.image = image
        self.kernel = kernel
        self.initramfs = initramfs
        self.arguments = arguments
        self.ipxeArguments = ipxeArguments ?? arguments
    }
}

/// Where files lie that loaders fetch; the same names over TFTP and HTTP, without a leading slash.
public enum BootPath {
    /// A file of an image version: `images/debian/7/kernel`.
    public static func file(_ role: ImageFileRole, of image: ImageVersion) -> String {
        "images/\(image.id.name)/\(image.id.number)/\(image.files[role]?.name ?? role.rawValue)"
    }

    /// The overlay archive of one boot.
    public static func overlay(for mac: MACAddress, boot: BootIdentifier) -> String {
        "boot/\(mac.dashed)/\(boot)/overlay.cpio"
    }

    /// The memory test, for BIOS and for UEFI.
    public static let memoryTest = (bios: "memtest86+x64.bin", efi: "memtest86+x64.efi")
}
