import Foundation
import Testing
import VirtualLab

/// One row of the matrix in docs/firmware.md: a firmware, a card, a loader, and what the timeline must show.
struct FirmwareCase: Sendable, CustomTestStringConvertible {
    var name: String
    var firmware: MachineFirmware = .bios
    var card: NetworkCard = .virtio
    var loader: String = "auto"
    /// `full`, or `proxy` beside dnsmasq.
    var dhcp = "full"
    /// The image it boots.
    var image: TestImage = .ram
    /// The loaders that are sent, in order, as the timeline names them.
    var loaders: [String]
    /// Further loaders of the user's: name in the loaders folder, and the file.
    var own: [String: String] = [:]
    /// Words that the console must have said.
    var console: [String] = []
    /// Commands in the node's shell, and a pattern that what they print must match.
    var checks: [(command: String, pattern: String)] = []
    /// Whether it also runs where minutes count.
    var isQuick = false

    var testDescription: String { name }

    /// The whole matrix; `make e2e` boots it, `make test` what is quick.
    static var chosen: [FirmwareCase] {
        let wanted = Set(Repository.whole(all.map(\.name)))
        let isQuick = ProcessInfo.processInfo.environment["DISKLESS_FIRMWARE"] == nil
        return all.filter { wanted.contains($0.name) || isQuick && $0.isQuick }
    }

    private static let lockdown = [
        (command: "cat /sys/kernel/security/lockdown", pattern: "[integrity]"),
        (command: "dmesg | grep -i 'secure boot'", pattern: "Secure boot enabled"),
    ]

    static let all: [FirmwareCase] = [
        FirmwareCase(name: "bios-ipxe-rom", loaders: []),
        FirmwareCase(name: "bios-undionly", loader: "ipxe", loaders: ["undionly.kpxe"], isQuick: true),
        FirmwareCase(name: "bios-pxelinux", loader: "pxelinux", loaders: ["pxelinux.0"], console: ["PXELINUX"]),
        FirmwareCase(name: "bios-grub", loader: "grub", loaders: ["grub.0"], isQuick: true),
        FirmwareCase(name: "bios-e1000", card: .e1000, image: .generic, loaders: []),
        FirmwareCase(name: "bios-grub-proxy", loader: "grub", dhcp: "proxy", loaders: ["grub.0"]),
        FirmwareCase(name: "bios-pxelinux-proxy", loader: "pxelinux", dhcp: "proxy", loaders: ["pxelinux.0"]),
        FirmwareCase(name: "uefi-snponly", firmware: .uefi, loaders: ["snponly.efi"], console: ["iPXE"]),
        FirmwareCase(
            name: "uefi-ipxe",
            firmware: .uefi,
            loaders: ["snponly.efi"],
            // A file of the user's in place of the package's: iPXE with drivers of its own.
            own: ["snponly.efi": "/usr/lib/ipxe/ipxe.efi"],
            console: ["iPXE"]
        ),
        FirmwareCase(name: "uefi-grub", firmware: .uefi, loader: "grub", loaders: ["grub-x64.efi"]),
        FirmwareCase(name: "uefi-snponly-proxy", firmware: .uefi, dhcp: "proxy", loaders: ["snponly.efi"]),
        FirmwareCase(
            name: "uefi-grub-proxy",
            firmware: .uefi,
            loader: "grub",
            dhcp: "proxy",
            loaders: ["grub-x64.efi"]
        ),
        FirmwareCase(name: "uefi-http", firmware: .uefiHTTP, loaders: ["snponly.efi"]),
        FirmwareCase(name: "uefi-http-grub", firmware: .uefiHTTP, loader: "grub", loaders: ["grub-x64-http.efi"]),
        FirmwareCase(name: "uefi-http-proxy", firmware: .uefiHTTP, dhcp: "proxy", loaders: ["snponly.efi"]),
        FirmwareCase(
            name: "secureboot",
            firmware: .secureBoot,
            loader: "shim",
            loaders: ["shim/shimx64.efi", "shim/grubx64.efi"],
            checks: lockdown,
            isQuick: true
        ),
        FirmwareCase(
            name: "secureboot-http",
            firmware: .secureBootHTTP,
            loader: "shim",
            loaders: ["boot.img"],
            checks: lockdown
        ),
        FirmwareCase(
            name: "secureboot-http-proxy",
            firmware: .secureBootHTTP,
            loader: "shim",
            dhcp: "proxy",
            loaders: ["boot.img"],
            checks: lockdown
        ),
        FirmwareCase(
            name: "arm64",
            firmware: .arm64,
            image: .arm64,
            loaders: ["grub-arm64.efi"],
            checks: [(command: "uname -m", pattern: "aarch64")]
        ),
        FirmwareCase(name: "arm64-http", firmware: .arm64HTTP, image: .arm64, loaders: ["grub-arm64-http.efi"]),
    ]
}
