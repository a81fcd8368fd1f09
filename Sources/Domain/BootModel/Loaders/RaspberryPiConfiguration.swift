/// What the firmware of a Raspberry Pi reads before the kernel (raspberrypi.com, "config.txt").
public enum RaspberryPiConfiguration {
    /// The names under which its kernel and its initramfs are fetched.
    public static let kernelName = "kernel.img"
    /// All archives as one file.
    public static let initramfsName = "initramfs.img"

    /// `config.txt`: the image's own, without what names another kernel, then ours.
    public static func config(_ boot: LinuxBoot, is64Bit: Bool, image own: String) -> String {
        let ours: Set = [
            "kernel", "initramfs", "ramfsfile", "ramfsaddr", "cmdline", "os_prefix", "arm_64bit", "auto_initramfs",
        ]
        let kept = own.split(whereSeparator: \.isNewline).filter { line in
            !ours.contains(String(line.prefix { $0 != "=" && $0 != " " }))
        }
        return
            (kept.map(String.init) + [
                "[all]",
                "# \(boot.image): written by diskless for this boot",
                "arm_64bit=\(is64Bit ? 1 : 0)",
                "kernel=\(kernelName)",
                "cmdline=cmdline.txt",
                "initramfs \(initramfsName) followkernel",
            ]).joined(separator: "\n") + "\n"
    }

    /// `cmdline.txt`: one line.
    public static func commandLine(_ boot: LinuxBoot) -> String { boot.arguments.joined(separator: " ") + "\n" }
}
