/// PXELINUX's configuration, which U-Boot reads too (extlinux syntax).
public enum PXELINUXConfiguration {
    /// The configuration that starts `menu`.
    ///
    /// U-Boot takes a single initramfs archive and no modules of PXELINUX's, so it is given one path for all of them.
    public static func text(_ menu: BootMenu, program: LoaderProgram = .pxelinux) -> String {
        var lines = ["# \(menu.node): written by diskless for this boot", "DEFAULT e\(menu.defaultIndex)", "PROMPT 0"]
        if menu.isShown {
            if program == .pxelinux { lines.append("UI menu.c32") }
            // In tenths of a second; 0 would wait for ever.
            lines += ["MENU TITLE \(menu.node)", "TIMEOUT \(max(1, (menu.timeout ?? 0) * 10))"]
        }
        for (index, entry) in menu.entries.enumerated() where menu.isShown || index == menu.defaultIndex {
            lines += ["LABEL e\(index)", "  MENU LABEL \(entry.title)"]
            if menu.isShown, index == menu.defaultIndex { lines.append("  MENU DEFAULT") }
            lines += commands(entry, program).map { "  \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Shows why there is nothing to boot, waits, and starts over.
    public static func refusal(_ reason: String) -> String {
        let text = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        return """
            SAY diskless: \(text)
            SAY Starting again in 30 seconds.
            DEFAULT again
            PROMPT 1
            TIMEOUT 300
            LABEL again
              COM32 reboot.c32

            """
    }

    private static func commands(_ entry: BootMenu.Entry, _ program: LoaderProgram) -> [String] {
        switch entry.action {
        case .linux(let boot):
            let archives = program == .uboot ? boot.singleInitramfs : boot.initramfs.joined(separator: ",")
            return [
                "LINUX \(boot.kernel)", "INITRD \(archives)", "APPEND \(boot.arguments.joined(separator: " "))",
            ]
        case .localDisk:
            return program == .uboot ? ["LOCALBOOT 1"] : ["COM32 chain.c32", "APPEND hd0"]
        case .memoryTest: return ["LINUX \(BootPath.memoryTest.bios)"]
        }
    }
}

extension LinuxBoot {
    /// The one path that stands for all initramfs archives, for loaders that take only one.
    public var singleInitramfs: String {
        guard initramfs.count > 1, let last = initramfs.last, let slash = last.lastIndex(of: "/") else {
            return initramfs.first ?? ""
        }
        return last[..<slash] + "/initramfs-\(image)"
    }
}
