/// What kind of machine and firmware asks (DHCP option 93, RFC 4578 section 2.1 and IANA's registry of it).
public struct ClientArchitecture: RawRepresentable, Hashable, Sendable, Codable {
    /// The registered number.
    public var rawValue: UInt16
    /// From a registered number; numbers without a name here are kept.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// x86 BIOS.
    ///
    /// Raspberry Pi firmware says 0 as well.
    public static let bios = ClientArchitecture(rawValue: 0)
    /// 32-bit x86 UEFI.
    public static let ia32EFI = ClientArchitecture(rawValue: 6)
    /// x86-64 UEFI.
    public static let x64EFI = ClientArchitecture(rawValue: 7)
    /// EFI byte code; some x86-64 firmware says this instead of 7.
    public static let efiByteCode = ClientArchitecture(rawValue: 9)
    /// 32-bit ARM UEFI.
    public static let arm32EFI = ClientArchitecture(rawValue: 10)
    /// 64-bit ARM UEFI.
    public static let arm64EFI = ClientArchitecture(rawValue: 11)
    /// 32-bit x86 UEFI HTTP Boot.
    public static let ia32HTTP = ClientArchitecture(rawValue: 15)
    /// x86-64 UEFI HTTP Boot.
    public static let x64HTTP = ClientArchitecture(rawValue: 16)
    /// 32-bit ARM UEFI HTTP Boot.
    public static let arm32HTTP = ClientArchitecture(rawValue: 18)
    /// 64-bit ARM UEFI HTTP Boot.
    public static let arm64HTTP = ClientArchitecture(rawValue: 19)
    /// x86 BIOS with an HTTP stack.
    public static let biosHTTP = ClientArchitecture(rawValue: 20)
    /// 32-bit ARM U-Boot.
    public static let arm32UBoot = ClientArchitecture(rawValue: 21)
    /// 64-bit ARM U-Boot.
    public static let arm64UBoot = ClientArchitecture(rawValue: 22)
    /// 32-bit ARM U-Boot with HTTP.
    public static let arm32UBootHTTP = ClientArchitecture(rawValue: 23)
    /// 64-bit ARM U-Boot with HTTP.
    public static let arm64UBootHTTP = ClientArchitecture(rawValue: 24)
    /// Raspberry Pi (rpiboot); most of its firmware says 0 instead.
    public static let raspberryPi = ClientArchitecture(rawValue: 41)

    private static let names: [(ClientArchitecture, name: String, words: String, machine: Machine?)] = [
        (.bios, "bios", "x86 BIOS", .x86), (.ia32EFI, "ia32-efi", "32-bit x86 UEFI", .x86),
        (.x64EFI, "x64-efi", "x86-64 UEFI", .x86), (.efiByteCode, "efi-bc", "x86-64 UEFI (says EFI byte code)", .x86),
        (.arm32EFI, "arm32-efi", "32-bit ARM UEFI", .arm32), (.arm64EFI, "arm64-efi", "64-bit ARM UEFI", .arm64),
        (.ia32HTTP, "ia32-http", "32-bit x86 UEFI HTTP", .x86), (.x64HTTP, "x64-http", "x86-64 UEFI HTTP", .x86),
        (.arm32HTTP, "arm32-http", "32-bit ARM UEFI HTTP", .arm32),
        (.arm64HTTP, "arm64-http", "64-bit ARM UEFI HTTP", .arm64), (.biosHTTP, "bios-http", "x86 BIOS HTTP", .x86),
        (.arm32UBoot, "arm32-uboot", "32-bit ARM U-Boot", .arm32),
        (.arm64UBoot, "arm64-uboot", "64-bit ARM U-Boot", .arm64),
        (.arm32UBootHTTP, "arm32-uboot-http", "32-bit ARM U-Boot HTTP", .arm32),
        (.arm64UBootHTTP, "arm64-uboot-http", "64-bit ARM U-Boot HTTP", .arm64),
        // Its processor may be either; the image decides.
        (.raspberryPi, "raspberry-pi", "Raspberry Pi", nil),
    ]

    /// The family of processors.
    public enum Machine: String, Sendable, Codable, CaseIterable {
        /// 32- or 64-bit x86; images are built for 64 bits.
        case x86
        /// 32-bit ARM.
        case arm32
        /// 64-bit ARM.
        case arm64

        /// Debian's name of the architecture whose images it runs.
        public var debianName: String {
            switch self {
            case .x86: "amd64"
            case .arm32: "armhf"
            case .arm64: "arm64"
            }
        }
    }

    /// Every architecture that has a short name, for the command line's help.
    public static var known: [ClientArchitecture] { names.map(\.0) }

    /// From a short name such as `x64-efi`, or a number; else nil.
    public init?(_ text: String) {
        if let found = Self.names.first(where: { $0.name == text }) {
            self = found.0
        } else {
            guard let number = UInt16(text) else { return nil }
            self.init(rawValue: number)
        }
    }

    /// The short name, such as `x64-efi`; the number when it has none.
    public var name: String { Self.names.first { $0.0 == self }?.name ?? String(rawValue) }
    /// For a sentence: "x86-64 UEFI".
    public var words: String { Self.names.first { $0.0 == self }?.words ?? "architecture \(rawValue)" }
    /// The family of processors; nil when the number is not known here.
    public var machine: Machine? { Self.names.first { $0.0 == self }?.machine }
    /// Whether the firmware fetches by HTTP and wants an absolute URL as its boot file.
    public var isHTTP: Bool { [.ia32HTTP, .x64HTTP, .arm32HTTP, .arm64HTTP, .biosHTTP].contains(self) }
    /// Whether the program is U-Boot, which reads PXELINUX's configuration.
    public var isUBoot: Bool { [.arm32UBoot, .arm64UBoot, .arm32UBootHTTP, .arm64UBootHTTP].contains(self) }
    /// Whether the firmware is UEFI.
    public var isEFI: Bool { machine != nil && self != .bios && self != .biosHTTP && !isUBoot }
}
