import BootModel
import NetworkTypes
import Testing

/// What the names mean that loaders ask for, in the order in which they ask.
@Suite struct BootFileRequestTests {
    static let mac = MACAddress(value: 0x5254_0012_3456)
    static let boot = BootIdentifier(random: 1, 2)

    static let names: [(String, BootFileRequest?)] = [
        // PXELINUX: UUID, hardware address, address, its networks, default.
        (
            "pxelinux.cfg/7c1f0e52-3a84-4b16-9d2e-5254004d4547",
            MachineUUID("7c1f0e52-3a84-4b16-9d2e-5254004d4547").map { .configuration(.pxelinux, of: .uuid($0)) }
        ),
        ("pxelinux.cfg/01-52-54-00-12-34-56", .configuration(.pxelinux, of: .mac(mac))),
        ("pxelinux.cfg/0A4D0047", .configuration(.pxelinux, of: .address(IPv4Address(10, 77, 0, 71)))),
        ("pxelinux.cfg/0a4d0047", .configuration(.pxelinux, of: .address(IPv4Address(10, 77, 0, 71)))),
        ("pxelinux.cfg/0A4D004", nil), ("pxelinux.cfg/0", nil),
        ("pxelinux.cfg/default", .configuration(.pxelinux, of: .itself)),
        // U-Boot.
        ("pxelinux.cfg/default-arm-bcm283x-rpi", .configuration(.pxelinux, of: .itself)),
        ("some/folder/pxelinux.cfg/01-52-54-00-12-34-56", .configuration(.pxelinux, of: .mac(mac))),
        // GRUB: its own variable has colons; the manual leaves out the hardware type.
        ("grub/grub.cfg", .configuration(.grub, of: .itself)),
        ("grub/grub.cfg-01-52:54:00:12:34:56", .configuration(.grub, of: .mac(mac))),
        ("grub/grub.cfg-01-52-54-00-12-34-56", .configuration(.grub, of: .mac(mac))),
        ("grub/grub.cfg-52-54-00-12-34-56", .configuration(.grub, of: .mac(mac))),
        ("grub/grub.cfg-0A4D0047", .configuration(.grub, of: .address(IPv4Address(10, 77, 0, 71)))),
        ("grub/grub.cfg-0A4D", nil),
        ("grub/x86_64-efi/command.lst", .file("grub/x86_64-efi/command.lst")),
        // The same names as over HTTP.
        ("images/debian/7/kernel", ImageVersionID("debian@7").map { .image($0, file: "kernel") }),
        ("images/debian/seven/kernel", nil),
        ("boot/52-54-00-12-34-56/\(boot)/overlay.cpio", .overlay(mac, boot)),
        (
            "boot/52-54-00-12-34-56/\(boot)/initramfs-debian@7",
            ImageVersionID("debian@7").map { .joinedInitramfs(mac, boot, $0) }
        ),
        ("boot/52-54-00-12-34-56/\(boot)/initramfs", nil), ("boot/52-54-00-12-34-56/\(boot)/initramfs-debian", nil),
        ("boot/52-54-00-12-34-56/\(boot)/secret", nil),
        // A Raspberry Pi: serial number, hardware address, plainly.
        ("1a2b3c4d/config.txt", .file("config.txt")),
        ("dc-a6-32-01-36-c2/overlays/overlay_map.dtb", .file("overlays/overlay_map.dtb")),
        ("start4.elf", .file("start4.elf")),
        ("shim/shimx64.efi", .file("shim/shimx64.efi")),
    ]

    @Test(arguments: names)
    func namesAskFor(name: String, request: BootFileRequest?) {
        #expect(BootFileRequest(name.split(separator: "/").map(String.init)) == request)
    }
}
