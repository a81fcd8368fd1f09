import NetworkTypes
import Testing

@testable import BootModel

/// One menu, written down for every loader.
@Suite struct BootMenuTests {
    static func plan(
        _ change: (inout BootPlanner.Inputs) throws -> Void = { _ in },
        addressing: NodeAddressing? = nil,
        settings: Settings = Settings()
    ) throws -> BootPlan {
        var inputs = try BootPlannerTests.inputs(
            .ipxe([.http, .bzImage]),
            settings: settings,
            image: BootPlannerTests.image(),
            addressing: addressing,
            loaders: LoaderChoiceTests.all
        )
        try change(&inputs)
        return try BootPlanner.plan(inputs)
    }

    static let arguments =
        "console=ttyS0 net.ifnames=0 BOOTIF=01-52-54-00-12-34-56"
        + " ip=10.0.0.71:10.0.0.1:10.0.0.254:255.255.255.0:megane::off:10.0.0.53"
        + " diskless.root=nbd://10.0.0.1:10809/debian@7 diskless.writes=ram"
        + " diskless.report=http://10.0.0.1:8067/boot/52-54-00-12-34-56/00000000000000010000000000000002"

    @Test func aSingleEntryIsStartedWithoutAMenu() throws {
        let plan = try Self.plan()
        let quoted = Self.arguments.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
        #expect(
            plan.grubConfiguration.contains(
                "if linux (tftp,10.0.0.1)/images/debian/7/kernel \(quoted); then"
                    + " if initrd (tftp,10.0.0.1)/images/debian/7/initramfs; then boot; fi; fi\n"
            )
        )
        #expect(!plan.grubConfiguration.contains("menuentry"))
        #expect(
            plan.pxelinuxConfiguration == """
                # megane: written by diskless for this boot
                DEFAULT e0
                PROMPT 0
                LABEL e0
                  MENU LABEL debian@7
                  LINUX images/debian/7/kernel
                  INITRD images/debian/7/initramfs
                  APPEND \(Self.arguments)

                """
        )
    }

    @Test func theOverlayArchiveIsASecondOne() throws {
        let plan = try Self.plan { $0.hasOverlay = true }
        let overlay = "boot/52-54-00-12-34-56/00000000000000010000000000000002/overlay.cpio"
        #expect(plan.script.contains("initrd --name initramfs1 http://10.0.0.1:8067/\(overlay) && goto start"))
        #expect(plan.script.contains("kernel initrd=initramfs1 initrd=initramfs console=ttyS0"))
        #expect(
            plan.grubConfiguration.contains(
                "initrd (tftp,10.0.0.1)/images/debian/7/initramfs (tftp,10.0.0.1)/\(overlay)"
            )
        )
        #expect(plan.pxelinuxConfiguration.contains("INITRD images/debian/7/initramfs,\(overlay)\n"))
        // U-Boot takes one archive: the server joins them.
        let extlinux = PXELINUXConfiguration.text(plan.menu, program: .uboot)
        #expect(
            extlinux.contains("INITRD boot/52-54-00-12-34-56/00000000000000010000000000000002/initramfs-debian@7\n")
        )
    }

    @Test func loadersThatKnowNoAddressLetTheInitramfsAsk() throws {
        let plan = try Self.plan(addressing: .foreign)
        #expect(plan.script.contains(" ip=${netX/ip}:10.0.0.1:"))
        #expect(plan.grubConfiguration.contains(" 'ip=:10.0.0.1:::megane::dhcp' "))
        #expect(plan.pxelinuxConfiguration.contains(" ip=:10.0.0.1:::megane::dhcp "))
        #expect(plan.pxelinuxConfiguration.contains(" diskless.lease=renew"))
    }

    private static func menuSettings() throws -> Settings {
        var settings = Settings()
        settings.menuEntries = try ["debian@7", "debian@6", "gone", "arm", "local-disk", "memtest"]
            .map { try #require(MenuEntry($0)) }
        settings.menuTimeout = MenuTimeout(seconds: 5)
        settings.menuDefault = MenuEntry("debian@6")
        return settings
    }

    private static func menuPlan() throws -> BootPlan {
        let settings = try menuSettings()
        var older = try BootPlannerTests.image()
        older.id.number = 6
        var arm = try BootPlannerTests.image(architecture: "arm64")
        arm.id = try #require(ImageVersionID("arm@1"))
        return try plan(
            { inputs in
                inputs.menuImages = try [
                    #require(ImageReference("debian@7")): BootPlannerTests.image(),
                    #require(ImageReference("debian@6")): older, #require(ImageReference("arm")): arm,
                ]
            },
            settings: settings
        )
    }

    @Test func aMenuOffersWhatCanBootAndSaysWhatCannot() throws {
        let plan = try Self.menuPlan()
        #expect(plan.menu.entries.map(\.title) == ["debian@7", "debian@6", "local disk", "memory test"])
        #expect(plan.menu.defaultIndex == 1 && plan.menu.timeout == 5)
        #expect(plan.reasons.contains("menu: gone left out, it does not exist"))
        #expect(plan.reasons.contains("menu: arm left out, it is for arm64"))
        #expect(plan.reasons.contains("menu of 4 (node): debian@6 after 5 s"))
    }

    @Test func eachLoaderShowsTheSameMenu() throws {
        let plan = try Self.menuPlan()
        #expect(plan.script.contains("item entry0 debian@7\nitem entry1 debian@6\nitem entry2 local disk\n"))
        #expect(plan.script.contains("choose --default entry1 --timeout 5000 entry && goto ${entry} || goto entry1\n"))
        #expect(plan.script.contains(":entry1\necho megane boots debian@6\n"))
        #expect(plan.script.contains("&& goto initramfs1 ||\n") && plan.script.contains("\n:initramfs1\n"))
        #expect(plan.grubConfiguration.contains("set timeout=5\nset default=1\nmenuentry 'debian@7' {"))
        #expect(plan.grubConfiguration.contains("'diskless.root=nbd://10.0.0.1:10809/debian@6'"))
        #expect(plan.grubConfiguration.contains("linux16 (tftp,10.0.0.1)/memtest86+x64.bin"))
        #expect(
            plan.pxelinuxConfiguration.contains("DEFAULT e1\nPROMPT 0\nUI menu.c32\nMENU TITLE megane\nTIMEOUT 50\n")
        )
        #expect(
            plan.pxelinuxConfiguration.contains("LABEL e2\n  MENU LABEL local disk\n  COM32 chain.c32\n  APPEND hd0\n")
        )
        // U-Boot has no modules, and its menu is text.
        let extlinux = PXELINUXConfiguration.text(plan.menu, program: .uboot)
        #expect(!extlinux.contains(".c32") && extlinux.contains("LOCALBOOT 1"))
    }

    @Test func whatANodeBootsIsAlwaysInItsMenu() throws {
        var settings = Settings()
        settings.menuEntries = [.localDisk]
        let plan = try Self.plan(settings: settings)
        #expect(plan.menu.entries.map(\.title) == ["debian@7", "local disk"])
        #expect(plan.menu.defaultIndex == 0 && plan.menu.timeout == 10)
    }

    @Test func nothingInGRUBsShellIsReplaced() {
        #expect(GRUBConfiguration.quoted("it's $root; reboot") == "'it'\\''s $root; reboot'")
        #expect(GRUBConfiguration.refusal("no\nimage 'x'").hasPrefix("echo 'diskless: no image '\\''x'\\'''\n"))
        let boot = LinuxBoot(
            image: ImageVersionID(ImageName(checked: "debian"), 1),
            kernel: "k",
            initramfs: ["i"],
            arguments: ["dyndbg=\"file a +p\""]
        )
        let menu = BootMenu(node: NodeName(checked: "n"), entries: [.init("x", .linux(boot))])
        // GRUB puts double quotes around what has blanks by itself.
        #expect(GRUBConfiguration.text(menu, from: .image(markedBy: "k")).contains("linux /k 'dyndbg=file a +p';"))
        #expect(
            GRUBConfiguration.text(menu, from: .image(markedBy: "k")).contains(
                "search --no-floppy --file --set=root /k\n"
            )
        )
    }

    @Test func aRaspberryPiGetsOurKernelAndItsOwnSettings() {
        let boot = LinuxBoot(
            image: ImageVersionID(ImageName(checked: "pi"), 3),
            kernel: "k",
            initramfs: ["i"],
            arguments: ["a=1", "b"]
        )
        let own = "dtparam=audio=on\nkernel=vmlinuz-6.1\ninitramfs initrd.img followkernel\n[pi4]\nmax_framebuffers=2\n"
        #expect(
            RaspberryPiConfiguration.config(boot, is64Bit: true, image: own) == """
                dtparam=audio=on
                [pi4]
                max_framebuffers=2
                [all]
                # pi@3: written by diskless for this boot
                arm_64bit=1
                kernel=kernel.img
                cmdline=cmdline.txt
                initramfs initramfs.img followkernel

                """
        )
        #expect(RaspberryPiConfiguration.commandLine(boot) == "a=1 b\n")
    }
}
