/// The program that fetches a boot's configuration, after the firmware was told what to start.
public enum LoaderProgram: String, Hashable, Sendable, Codable {
    /// iPXE: a script by HTTP.
    case ipxe
    /// GRUB of our making: `grub/grub.cfg` by TFTP.
    case grub
    /// Signed GRUB behind shim: `grub/grub.cfg` by TFTP.
    case shim
    /// Shim, signed GRUB and the system in one file system image, by UEFI HTTP Boot.
    case image
    /// PXELINUX: `pxelinux.cfg/…` by TFTP.
    case pxelinux
    /// U-Boot: the files of PXELINUX.
    case uboot
    /// The firmware of a Raspberry Pi: `config.txt` and `cmdline.txt` by TFTP.
    case raspberryPi = "raspberry-pi"

    /// For a sentence: "GRUB".
    public var words: String {
        switch self {
        case .ipxe: "iPXE"
        case .grub: "GRUB"
        case .shim: "GRUB behind shim"
        case .image: "GRUB in the image"
        case .pxelinux: "PXELINUX"
        case .uboot: "U-Boot"
        case .raspberryPi: "Raspberry Pi firmware"
        }
    }
}

/// The names under which loaders are fetched, over TFTP and over HTTP.
public enum LoaderName {
    /// GRUB for BIOS, with our address in it.
    public static let grubBIOS = "grub.0"
    /// GRUB for x86-64 UEFI.
    public static let grubX64 = "grub-x64.efi"
    /// GRUB for x86-64 UEFI HTTP Boot: it asks for an address first.
    public static let grubX64HTTP = "grub-x64-http.efi"
    /// GRUB for arm64 UEFI.
    public static let grubARM64 = "grub-arm64.efi"
    /// GRUB for arm64 UEFI HTTP Boot.
    public static let grubARM64HTTP = "grub-arm64-http.efi"
    /// PXELINUX.
    public static let pxelinux = "pxelinux.0"
    /// Signed shim for x86-64; it fetches GRUB from beside itself.
    public static let shimX64 = "shim/shimx64.efi"
    /// The signed network GRUB beside it.
    public static let shimGRUBX64 = "shim/grubx64.efi"
    /// The signed GRUB for disks, which goes into file system images.
    public static let shimDiskGRUBX64 = "shim/grubx64-disk.efi"
    /// Signed shim for arm64.
    public static let shimARM64 = "shim/shimaa64.efi"
    /// The signed network GRUB beside it.
    public static let shimGRUBARM64 = "shim/grubaa64.efi"
    /// The signed GRUB for disks.
    public static let shimDiskGRUBARM64 = "shim/grubaa64-disk.efi"

    /// What PXELINUX itself fetches: its core, its menu, and what a refusal or a local disk needs.
    public static let pxelinuxModules = [
        "ldlinux.c32", "libcom32.c32", "libutil.c32", "menu.c32", "chain.c32", "reboot.c32",
    ]
}
