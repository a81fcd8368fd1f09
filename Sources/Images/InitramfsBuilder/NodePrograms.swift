import CPIO

/// The programs of the initramfs: the image's static busybox and our own.
struct NodePrograms {
    let directory: String
    let architecture: String
    let busybox: String?

    /// The applets that `init` and its parts call, and what a person at the rescue shell reaches for first.
    static let applets = [
        "ash", "awk", "cat", "chmod", "cp", "cttyhack", "cut", "dd", "dmesg", "echo", "env", "find", "grep", "head",
        "hostname",
        "ip", "kill", "less", "ln", "losetup", "ls", "lsmod", "mkdir", "mknod", "mkswap", "modprobe", "mount", "mv",
        "od", "ping",
        "poweroff",
        "printf", "ps", "readlink", "reboot", "rm", "sed", "setsid", "sh", "sleep", "sort", "swapon", "switch_root",
        "tail",
        "timeout",
        "tr", "udhcpc", "umount", "uname", "vi", "wc", "wget", "xxd",
    ]

    private static let busyboxPlaces = [
        "bin/busybox", "usr/bin/busybox", "bin/busybox.static", "usr/bin/busybox.static", "usr/lib/initcpio/busybox",
    ]

    /// All files that are neither modules nor firmware.
    func entries(image: borrowing FileTree) throws(InitramfsError) -> [CPIOEntry] {
        var entries: [CPIOEntry] = [
            .file("bin/busybox", try busyboxBytes(image), permissions: 0o755),
            .file("init", try program(["init"]), permissions: 0o755),
            .file("lib/diskless/lay-files", try program(["lay-files"])),
            .file("lib/diskless/overlay", try program(["overlay"])),
            .file("lib/diskless/mount-root", try program(["mount-root"])),
            .file("lib/diskless/prepare-root", try program(["prepare-root"])),
            .file("sbin/take-lease", try program(["take-lease"]), permissions: 0o755),
            .file(
                "sbin/nbd-attach",
                try program(["nbd-attach-\(architecture)", "build/nbd-attach-\(architecture)"]),
                permissions: 0o755
            ),
            // The kernel itself calls this path when it needs a module.
            .link("sbin/modprobe", to: "../bin/busybox"),
            // The kernel opens the console before anything could mount a devtmpfs.
            .characterDevice("dev/console", major: 5, minor: 1, permissions: 0o600),
            .characterDevice("dev/null", major: 1, minor: 3, permissions: 0o666),
        ]
        for applet in Self.applets { entries.append(.link("bin/" + applet, to: "busybox")) }
        for folder in ["new", "proc", "run", "sys", "tmp"] { entries.append(.directory(folder)) }
        return entries
    }

    private func program(_ names: [String]) throws(InitramfsError) -> [UInt8] {
        for name in names {
            if let bytes = try FileTree.readHostFile(directory + "/" + name) { return bytes }
        }
        throw .missingProgram(names[0], directory: directory)
    }

    private func busyboxBytes(_ image: borrowing FileTree) throws(InitramfsError) -> [UInt8] {
        if let busybox {
            guard let bytes = try FileTree.readHostFile(busybox), ELFHeader(bytes)?.runs(on: architecture) == true
            else {
                throw .noBusybox(architecture: architecture, tried: [busybox])
            }
            return bytes
        }
        for place in Self.busyboxPlaces {
            guard let bytes = try image.read(place), ELFHeader(bytes)?.runs(on: architecture) == true else { continue }
            return bytes
        }
        throw .noBusybox(architecture: architecture, tried: Self.busyboxPlaces)
    }
}
