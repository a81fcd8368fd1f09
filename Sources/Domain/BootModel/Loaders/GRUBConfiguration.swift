public import NetworkTypes

/// GRUB's configuration: a script in GRUB's own shell.
public enum GRUBConfiguration {
    /// Where GRUB finds the files of a menu.
    public enum Place: Hashable, Sendable {
        /// This server, by TFTP: GRUB's HTTP is slower than its TFTP, and fills no progress in.
        case tftp(IPv4Address)
        /// The file system image that GRUB itself came in; the file tells it from other disks.
        case image(markedBy: String)

        func path(_ name: String) -> String {
            switch self {
            case .tftp(let server): "(tftp,\(server))/\(name)"
            case .image: "/\(name)"
            }
        }
    }

    /// The configuration that starts `menu`.
    public static func text(_ menu: BootMenu, from place: Place) -> String {
        var lines = ["# \(menu.node): written by diskless for this boot"]
        if case .image(let marker) = place { lines.append("search --no-floppy --file --set=root /\(marker)") }
        if menu.isShown {
            lines += ["set timeout=\(menu.timeout ?? 0)", "set default=\(menu.defaultIndex)"]
            for entry in menu.entries {
                lines.append("menuentry \(quoted(entry.title)) {")
                lines += commands(entry, menu, place).map { "  \($0)" }
                lines.append("}")
            }
        } else {
            lines += commands(menu.defaultEntry, menu, place)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Shows why there is nothing to boot, waits, and starts over.
    public static func refusal(_ reason: String) -> String {
        let text = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "echo \(quoted("diskless: \(text)"))\necho 'Starting again in 30 seconds.'\nsleep 30\nreboot\n"
    }

    /// For a GRUB whose machine the server cannot tell by its address: it names itself.
    public static func askAgain(_ server: IPv4Address) -> String {
        "configfile (tftp,\(server))/grub/grub.cfg-01-$net_default_mac\n"
    }

    private static func commands(_ entry: BootMenu.Entry, _ menu: BootMenu, _ place: Place) -> [String] {
        switch entry.action {
        case .linux(let boot): linux(boot, menu, place)
        case .localDisk:
            [
                // The firmware goes on with its next boot option; BIOS starts the first disk.
                "if [ \"$grub_platform\" = efi ]; then exit; fi", "set root=(hd0)", "chainloader +1", "boot",
            ]
        case .memoryTest:
            [
                "if [ \"$grub_platform\" = efi ]; then chainloader \(place.path(BootPath.memoryTest.efi))",
                "else linux16 \(place.path(BootPath.memoryTest.bios)); fi", "boot",
            ]
        }
    }

    private static func linux(_ boot: LinuxBoot, _ menu: BootMenu, _ place: Place) -> [String] {
        let arguments = boot.arguments.map { quoted(unquoted($0)) }.joined(separator: " ")
        let archives = boot.initramfs.map(place.path).joined(separator: " ")
        return [
            "echo \(quoted("\(menu.node) boots \(boot.image)"))",
            "for try in 1 2 3; do",
            "  if linux \(place.path(boot.kernel)) \(arguments); then if initrd \(archives); then boot; fi; fi",
            "  sleep 1",
            "done",
            "echo \(quoted("\(boot.image) could not be fetched or started. Starting again in 30 seconds."))",
            "sleep 30",
            "reboot",
        ]
    }

    /// A word of GRUB's shell, in which nothing is replaced.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// An argument without its double quotes: GRUB puts its own around what has blanks, and would escape these.
    private static func unquoted(_ argument: String) -> String {
        argument.contains(" ") ? argument.filter { $0 != "\"" } : argument
    }
}
