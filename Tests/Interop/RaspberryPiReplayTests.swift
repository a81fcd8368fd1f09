import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// The requests of a Raspberry Pi's network boot, replayed from its documentation and from what others recorded of it: no
/// board took part.
///
/// Sources: raspberrypi.com "Network booting" and "config.txt", rpi-eeprom's release notes, PXE option 97 as rpi-eeprom
/// writes it.
@Suite(
    .enabled(
        if: TestNetwork.isPossible && NBDClientProgram.isThere("curl") && NBDClientProgram.isThere("cpio"),
        "needs root, ip, curl and cpio"
    ),
    .boundedWait
) struct RaspberryPiReplayTests {
    /// What is asked for, in the order of the firmware, and whether it is there.
    enum Answer {
        case content(String)
        case contains([String])
        case missing
    }

    /// A Pi 4 with an EEPROM of 2022 or later: the boot loader reads config.txt, then start4.elf reads it again.
    static let pi4: [(name: String, answer: Answer)] = [
        ("autoboot.txt", .missing),
        (
            "config.txt",
            .contains(["[pi4]", "[all]", "arm_64bit=1", "kernel=kernel.img", "initramfs initramfs.img followkernel"])
        ),
        ("pieeprom.sig", .missing), ("recovery.elf", .missing), ("vl805.sig", .missing),
        ("start4.elf", .content("start four")), ("fixup4.dat", .content("fixup four")),
        ("config.txt", .contains(["kernel=kernel.img"])),
        ("dt-blob.bin", .missing), ("bootcfg.txt", .missing),
        ("bcm2711-rpi-4-b.dtb", .content("device tree")), ("overlays/overlay_map.dtb", .content("overlay map")),
        (
            "cmdline.txt",
            .contains([
                " ip=10.77.0.2:10.77.0.1:", ":megane::off:", " diskless.root=nbd://10.77.0.1:10809/pi@1 ",
                " BOOTIF=01-52-54-00-77-00-01 ", "diskless.report=http://10.77.0.1:8067/boot/52-54-00-77-00-01/",
            ])
        ),
        ("armstub8-gic.bin", .missing), ("initramfs.img", .contains(["initramfs of pi", "diskless/overlay/"])),
        ("kernel.img", .content("kernel of pi")),
    ]

    /// A Pi 5: everything of the first stage is in its EEPROM, so it asks for no start*.elf and no fixup*.dat.
    ///
    /// The second reading is that of the operating system's loader. Nothing is looked for after an os_prefix, which config.txt leaves out.
    static let pi5: [(name: String, answer: Answer)] = [
        ("config.txt", .contains(["arm_64bit=1", "kernel=kernel.img", "initramfs initramfs.img followkernel"])),
        ("autoboot.txt", .missing), ("boot.img", .missing), ("pieeprom.upd", .missing), ("pieeprom.sig", .missing),
        ("config.txt", .contains(["kernel=kernel.img"])),
        ("cmdline.txt", .contains([" diskless.root=nbd://10.77.0.1:10809/pi@1 "])),
        ("bcm2712-rpi-5-b.dtb", .content("device tree 5")), ("overlays/overlay_map.dtb", .content("overlay map")),
        ("overlays/bcm2712d0.dtbo", .content("overlay d0")), ("overlays/hat_map.dtb", .missing),
        ("armstub8-2712.bin", .missing), ("initramfs.img", .contains(["initramfs of pi"])),
        ("kernel.img", .content("kernel of pi")),
    ]

    /// A Pi 3 B, and a Pi 2 of revision 1.2, which has the same chip: its ROM reads bootcode.bin, which reads the rest.
    static let pi3: [(name: String, answer: Answer)] = [
        ("bootcode.bin", .content("boot code")), ("bootsig.bin", .missing), ("autoboot.txt", .missing),
        ("config.txt", .contains(["arm_64bit=1"])), ("start.elf", .content("start three")),
        ("fixup.dat", .content("fixup three")), ("cmdline.txt", .contains(["diskless.root="])),
        ("bcm2710-rpi-3-b.dtb", .content("device tree 3")), ("bcm2710-rpi-2-b.dtb", .content("device tree 2")),
        ("armstub8.bin", .missing), ("kernel.img", .content("kernel of pi")),
    ]

    /// Board revisions, as option 97 has them: Pi 4 B 1.2, Pi 5 B 1.0.
    static let revisions: [UInt8: [UInt8]] = [
        UInt8(ascii: "4"): [0x12, 0x31, 0xc0, 0x00], UInt8(ascii: "5"): [0x70, 0x41, 0xd0, 0x00],
    ]
    /// A maker's address: the ROM of a Pi 2 or 3 tells nothing else of itself.
    static let makersMAC: [UInt8] = [0xb8, 0x27, 0xeb, 0x77, 0x00, 0x01]

    /// Serial number 1a2b3c4d, as the GUID tells it (little endian) and as the folder is named.
    static let serial: [UInt8] = [0x4d, 0x3c, 0x2b, 0x1a]

    @Test(arguments: ["1a2b3c4d/", "52-54-00-77-00-01/", ""])
    func aPi4GetsItsFilesUnderEachPrefix(prefix: String) throws {
        let server = try start()
        try ask(server, model: UInt8(ascii: "4"))
        for (name, answer) in Self.pi4 { try check(server, prefix + name, answer) }
        let boots = try told(by: server)
        #expect(boots.contains("\"loader\"") && boots.contains("sent loader start4.elf"))
        #expect(boots.contains("\"initramfs\""))
    }

    /// What the server tells of the boot once it has told of the kernel, the last file: that comes after its last block.
    private func told(by server: ServerProcess) throws -> String {
        var boots = ""
        try server.wait("no kernel in \(boots)") {
            boots = try server.diskless("boots", "megane", "--json").output
            return boots.contains("\"kernel\"")
        }
        return boots
    }

    @Test(arguments: ["1a2b3c4d/", "52-54-00-77-00-01/", ""])
    func aPi5GetsItsFilesUnderEachPrefix(prefix: String) throws {
        let server = try start()
        try ask(server, model: UInt8(ascii: "5"))
        for (name, answer) in Self.pi5 { try check(server, prefix + name, answer) }
        #expect(try told(by: server).contains("\"initramfs\""))
    }

    /// The ROM takes the first offer and asks for its files from that address: it sends no REQUEST (raspberrypi/linux #1638),
    /// always with the same transaction number, and gives up unless the menu says "Raspberry Pi Boot" and three spaces.
    @Test func aPi3GetsItsFilesAfterAnOfferAlone() throws {
        let server = try start(mac: Self.makersMAC)
        try ask(server, model: nil)
        for (name, answer) in Self.pi3 { try check(server, "1a2b3c4d/" + name, answer) }
        for (name, answer) in Self.pi3 { try check(server, name, answer) }
        let boots = try server.diskless("boots", "megane", "--json").output
        #expect(boots.contains("sent loader bootcode.bin") && boots.contains("\"kernel\""), "\(boots)")
    }

    @Test func anotherMachineGetsNoneOfThem() throws {
        let server = try start()
        for name in ["config.txt", "cmdline.txt", "start4.elf", "1a2b3c4d/kernel.img"] {
            try check(server, name, .missing)
        }
    }

    // MARK: Parts

    private func start(mac: [UInt8]? = nil) throws -> ServerProcess {
        let server = try ServerProcess()
        let address = mac.map { $0.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined(separator: ":") }
        if let address {
            let card = ["ip", "-n", server.network.client, "link", "set", TestNetwork.interface, "address", address]
            #expect(try server.run(card).status == 0)
        }
        let folder = server.files.path("firmware")
        let script = """
            mkdir -p \(folder)/overlays && cd \(folder) &&
            printf 'boot code' > bootcode.bin && printf 'start four' > start4.elf && printf 'fixup four' > fixup4.dat &&
            printf 'start three' > start.elf && printf 'fixup three' > fixup.dat &&
            printf 'device tree' > bcm2711-rpi-4-b.dtb && printf 'device tree 3' > bcm2710-rpi-3-b.dtb &&
            printf 'device tree 2' > bcm2710-rpi-2-b.dtb && printf 'device tree 5' > bcm2712-rpi-5-b.dtb &&
            printf 'overlay d0' > overlays/bcm2712d0.dtbo && printf 'overlay map' > overlays/overlay_map.dtb && printf '[pi4]\\nkernel=vmlinuz\\n' > config.txt &&
            find . -type f -printf '%P\\n' | cpio --quiet -o -H newc > \(folder).cpio
            """
        #expect(try server.run(["sh", "-c", script]).status == 0)
        try MadeUpImage.publish("pi", state: server.state, rootSize: 1 << 16, firmware: folder + ".cpio")
        try server.start()
        let fleet = server.files.path("fleet.yaml")
        try MadeUpImage.write(
            "nodes:\n  - {name: megane, mac: \"\(address ?? TestNetwork.clientMAC)\", address: 10.77.0.2, image: pi}\n",
            fleet
        )
        let applied = try server.diskless("apply", fleet)
        #expect(applied.status == 0, "\(applied.errors)")
        return server
    }

    /// What the firmware takes for an answer, in option 43: discovery control 3, prompt "PXE" and the menu.
    private static let menu: [UInt8] =
        [6, 1, 3, 10, 4, 0, 0x50, 0x58, 0x45, 9, 23, 0, 0, 20] + Array("Raspberry Pi Boot   ".utf8)

    /// DISCOVER and REQUEST as the EEPROM sends them: an x86 BIOS by option 93, a Pi by option 97.
    ///
    /// A ROM, which has no `model`, sends a DISCOVER without option 97 and nothing more.
    private func ask(_ server: ServerProcess, model: UInt8?) throws {
        let socket = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(.any, 68), interface: TestNetwork.interface, broadcast: true)
        }
        for (kind, wanted) in model == nil ? [(UInt8(1), UInt8(2))] : [(1, 2), (3, 5)] {
            let packet = Self.packet(kind: kind, model: model)
            try socket.send(
                packet.span,
                to: Endpoint(IPv4Address(255, 255, 255, 255), 67),
                from: IPv4Address(10, 77, 0, 2)
            )
            let reply = try answer(socket)
            #expect(reply.count > 242 && reply[240...242] == [53, 1, wanted], "not an answer of kind \(wanted)")
            guard reply.count > 242 else { return }
            #expect(reply[16..<20] == [10, 77, 0, 2], "its address")
            #expect(reply[20..<24] == [10, 77, 0, 1], "the TFTP server")
            let hasMenu = reply.indices.dropLast(Self.menu.count - 1).contains {
                reply[$0..<$0 + Self.menu.count].elementsEqual(Self.menu)
            }
            #expect(hasMenu, "no menu in \(reply)")
        }
    }

    private func answer(_ socket: UDPSocket) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<2000 {
            if let (count, _) = try socket.receiveWithoutWaiting(into: &buffer) { return Array(buffer[..<count]) }
            usleep(5000)
        }
        return []
    }

    private static func packet(kind: UInt8, model: UInt8?) -> [UInt8] {
        // Broadcast flag: the address is not the client's yet.
        let fixed: [UInt8] =
            [1, 1, 6, 0, 0x26, 0xf3, 0x03, 0x39, 0, 0, 0x80, 0] + [UInt8](repeating: 0, count: 16)
            + (model == nil ? makersMAC : [0x52, 0x54, 0x00, 0x77, 0x00, 0x01])
        var options: [UInt8] = [53, 1, kind, 55, 14, 1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135]
        options += [93, 2, 0, 0, 94, 3, 1, 2, 1]
        if let model, let revision = revisions[model] {
            let guid: [UInt8] = Array("RPi".utf8) + [model] + revision + [0x01, 0x00, 0x77, 0x00] + serial
            options += [97, 17, 0] + guid
        }
        options += [60, 32] + Array("PXEClient:Arch:00000:UNDI:002001".utf8)
        if kind == 3 { options += [50, 4, 10, 77, 0, 2, 54, 4, 10, 77, 0, 1] }
        return fixed + [UInt8](repeating: 0, count: 202) + [99, 130, 83, 99] + options + [255]
    }

    /// Fetches a file with a block size that the EEPROM uses.
    private func check(_ server: ServerProcess, _ name: String, _ answer: Answer) throws {
        let result = try server.client(
            "curl",
            "--silent",
            "--tftp-blksize",
            "1468",
            "tftp://10.77.0.1/\(name)"
        )
        switch answer {
        // TFTP's error 1, file not found.
        case .missing: #expect(result.status == 68, "\(name): \(result.status) \(result.output)")
        case .content(let text): #expect(result.output == text, "\(name): \(result.status)")
        case .contains(let words):
            for word in words { #expect(result.output.contains(word), "\(name) lacks \(word): \(result.output)") }
        }
    }
}
