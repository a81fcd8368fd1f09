/// Which loader a node shall use.
public enum LoaderPreference: String, Hashable, Sendable, Codable, SettingWord {
    /// What suits the firmware best.
    case auto
    /// iPXE.
    case ipxe
    /// GRUB.
    case grub
    /// PXELINUX, or SYSLINUX on UEFI.
    case pxelinux
    /// The signed shim with its signed GRUB, for Secure Boot.
    case shim
    /// None: the firmware loads the kernel itself.
    case none
}

/// What a line of a node's boot menu starts.
public enum MenuEntry: Hashable, Sendable, SettingText {
    /// An image.
    case image(ImageReference)
    /// What the node's own disk holds.
    case localDisk
    /// A memory test.
    case memoryTest

    /// For messages.
    public static var form: String { "a menu entry: an image (debian, debian@7, debian:tag), local-disk or memtest" }

    /// From `local-disk`, `memtest` or an image; else nil.
    public init?(_ description: String) {
        switch description {
        case "local-disk": self = .localDisk
        case "memtest": self = .memoryTest
        default:
            guard let image = ImageReference(description) else { return nil }
            self = .image(image)
        }
    }

    /// As it is written.
    public var description: String {
        switch self {
        case .image(let image): image.description
        case .localDisk: "local-disk"
        case .memoryTest: "memtest"
        }
    }
}

/// How long a menu waits, in whole seconds; 0 boots at once and shows the menu only to who presses a key.
public struct MenuTimeout: Hashable, Sendable, SettingText {
    /// The seconds.
    public let seconds: Int

    /// For messages.
    public static var form: String { "a number of seconds between 0 and 86400" }

    /// From seconds; nil outside 0 to 86,400.
    public init?(seconds: Int) {
        guard (0...86_400).contains(seconds) else { return nil }
        self.seconds = seconds
    }

    /// From digits, with or without `s` after them; else nil.
    public init?(_ description: String) {
        let digits = description.hasSuffix("s") ? description.dropLast() : description[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int(digits) else { return nil }
        self.init(seconds: seconds)
    }

    /// The digits.
    public var description: String { String(seconds) }
    /// The digits, plain as a number.
    public var setting: SettingValue { .scalar(description, isPlain: true) }
}
