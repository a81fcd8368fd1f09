/// iPXE's scripts (https://ipxe.org/scripting).
enum IPXEScript {
    /// Fetches kernel and initramfs of the chosen entry, each tried three times, and starts them.
    static func text(_ menu: BootMenu, server: ServerAddresses) -> String {
        guard menu.isShown else { return "#!ipxe\n" + commands(menu.defaultEntry, "", menu, server) }
        var lines = ["#!ipxe", "menu \(menu.node)"]
        for (index, entry) in menu.entries.enumerated() { lines.append("item entry\(index) \(entry.title)") }
        let first = "entry\(menu.defaultIndex)"
        // In milliseconds; 0 would wait for ever. Escape and a build without menus take the default.
        let milliseconds = max(1, (menu.timeout ?? 0) * 1000)
        lines.append("choose --default \(first) --timeout \(milliseconds) entry && goto ${entry} || goto \(first)")
        var text = lines.joined(separator: "\n") + "\n"
        for (index, entry) in menu.entries.enumerated() {
            text += ":entry\(index)\n" + commands(entry, "\(index)", menu, server)
        }
        return text
    }

    private static func commands(
        _ entry: BootMenu.Entry,
        _ mark: String,
        _ menu: BootMenu,
        _ server: ServerAddresses
    ) -> String {
        switch entry.action {
        case .linux(let boot): return linux(boot, mark, menu, server)
        case .localDisk:
            return """
                echo \(menu.node) starts its own disk
                iseq ${platform} efi && exit 1 || sanboot --no-describe --drive 0x80 || exit 1

                """
        case .memoryTest:
            let base = BootURL.base(server) + "/loaders/"
            return """
                iseq ${platform} efi && chain \(base)\(BootPath.memoryTest.efi) || chain \(base)\(BootPath.memoryTest.bios)
                sleep 10
                reboot

                """
        }
    }

    private static func linux(
        _ boot: LinuxBoot,
        _ mark: String,
        _ menu: BootMenu,
        _ server: ServerAddresses
    ) -> String {
        let base = BootURL.base(server) + "/"
        let names = ["initramfs"] + (1..<max(1, boot.initramfs.count)).map { "initramfs\($0)" }
        // EFI kernels find the archives by initrd=, and join them without a gap: the padded ones must come first. A BIOS
        // kernel ignores it.
        let commandLine = (names.reversed().map { "initrd=\($0)" } + boot.ipxeArguments).joined(separator: " ")
        var text = """
            echo \(menu.node) boots \(boot.image)
            set tries:int32 0
            :kernel\(mark)
            kernel \(base)\(boot.kernel) \(commandLine) && goto initramfs\(mark) ||
            inc tries
            iseq ${tries} 3 && goto failed\(mark) || sleep 1
            goto kernel\(mark)

            """
        for (index, archive) in boot.initramfs.enumerated() {
            let label = "\(names[index])\(mark.isEmpty || index == 0 ? mark : "_\(mark)")"
            let isLast = index == boot.initramfs.count - 1
            let next = isLast ? "start\(mark)" : "\(names[index + 1])\(mark.isEmpty ? "" : "_\(mark)")"
            text += """
                :\(label)
                initrd --name \(names[index]) \(base)\(archive) && goto \(next) ||
                inc tries
                iseq ${tries} 3 && goto failed\(mark) || sleep 1
                goto \(label)

                """
        }
        return text + """
            :start\(mark)
            boot ||
            :failed\(mark)
            echo \(boot.image) could not be fetched or started. Trying again in 30 seconds.
            sleep 30
            reboot

            """
    }

    /// Says why there is nothing to boot, waits, and asks again, so that the machine boots once it is mended.
    static func refusal(_ refusal: BootRefusal) -> String {
        // A script line ends at the newline, and ${ would begin a variable.
        let text = refusal.reason.filter { !$0.isNewline && $0 != "$" }
        return """
            #!ipxe
            echo
            echo diskless: \(text)
            echo Trying again in 30 seconds.
            sleep 30
            reboot

            """
    }
}

extension BootRefusal {
    /// An iPXE script that shows the reason on the machine's screen and tries again later.
    public var script: String { IPXEScript.refusal(self) }
    /// The same for GRUB.
    public var grubConfiguration: String { GRUBConfiguration.refusal(reason) }
    /// The same for PXELINUX.
    public var pxelinuxConfiguration: String { PXELINUXConfiguration.refusal(reason) }
}
