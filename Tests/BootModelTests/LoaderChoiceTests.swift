import BootModel
import NetworkTypes
import Testing

/// Which loader each firmware gets for each setting: a row a case.
@Suite struct LoaderChoiceTests {
    static let all: Set = [
        "undionly.kpxe", "snponly.efi", "ipxe.efi", "ipxe-arm64.efi", LoaderName.grubBIOS, LoaderName.grubX64,
        LoaderName.grubX64HTTP, LoaderName.grubARM64, LoaderName.grubARM64HTTP, LoaderName.pxelinux, LoaderName.shimX64,
        LoaderName.shimGRUBX64, LoaderName.shimDiskGRUBX64, LoaderName.shimARM64, LoaderName.shimGRUBARM64,
        LoaderName.shimDiskGRUBARM64, BootPath.memoryTest.bios,
    ]
    static let http = "http://10.0.0.1:8067"
    static let mac = BootPlannerTests.mac
    static let script = "\(http)/boot/52-54-00-12-34-56/script.ipxe"
    static let able: BootStage = .ipxe([.http, .bzImage])

    struct Row: Sendable, CustomTestStringConvertible {
        var loader: LoaderPreference
        var stage: BootStage
        var architecture: ClientArchitecture
        var file: String?
        var program: LoaderProgram?
        var hasLoader = false
        var isProxy = false
        var without: Set<String> = []
        var testDescription: String { "\(loader), \(stage), \(architecture.name)\(isProxy ? ", proxy" : "")" }
    }

    static let rows: [Row] = [
        // The usual: iPXE, the one that runs included.
        Row(loader: .auto, stage: .firmware, architecture: .bios, file: "undionly.kpxe", program: .ipxe),
        Row(loader: .auto, stage: able, architecture: .bios, file: script, program: .ipxe),
        Row(loader: .auto, stage: .firmware, architecture: .x64EFI, file: "snponly.efi", program: .ipxe, isProxy: true),
        // No iPXE for the machine: GRUB does it.
        Row(
            loader: .auto,
            stage: .firmware,
            architecture: .arm64EFI,
            file: "grub-arm64.efi",
            program: .grub,
            without: ["ipxe-arm64.efi"]
        ),
        Row(
            loader: .auto,
            stage: .firmwareHTTP,
            architecture: .arm64HTTP,
            file: "\(http)/loaders/grub-arm64-http.efi",
            program: .grub,
            without: ["ipxe-arm64.efi"]
        ),
        // Ours in place of the card's, once a boot.
        Row(loader: .ipxe, stage: able, architecture: .bios, file: "undionly.kpxe", program: .ipxe),
        Row(loader: .ipxe, stage: able, architecture: .bios, file: script, program: .ipxe, hasLoader: true),
        Row(loader: .ipxe, stage: able, architecture: .bios, file: script, program: .ipxe, without: ["undionly.kpxe"]),
        Row(
            loader: .ipxe,
            stage: .firmware,
            architecture: .x64EFI,
            file: "ipxe.efi",
            program: .ipxe,
            without: ["snponly.efi"]
        ),
        // GRUB knows its server, so it also works beside another DHCP server.
        Row(loader: .grub, stage: able, architecture: .bios, file: "grub.0", program: .grub),
        Row(loader: .grub, stage: .firmware, architecture: .bios, file: "grub.0", program: .grub, isProxy: true),
        Row(
            loader: .grub,
            stage: .firmware,
            architecture: .x64EFI,
            file: "grub-x64.efi",
            program: .grub,
            isProxy: true
        ),
        Row(
            loader: .grub,
            stage: .firmwareHTTP,
            architecture: .x64HTTP,
            file: "\(http)/loaders/grub-x64-http.efi",
            program: .grub
        ),
        // PXELINUX is for BIOS; other machines of the profile get the usual.
        Row(loader: .pxelinux, stage: able, architecture: .bios, file: "pxelinux.0", program: .pxelinux),
        Row(
            loader: .pxelinux,
            stage: .firmware,
            architecture: .bios,
            file: "pxelinux.0",
            program: .pxelinux,
            isProxy: true
        ),
        Row(loader: .pxelinux, stage: .firmware, architecture: .x64EFI, file: "snponly.efi", program: .ipxe),
        Row(loader: .pxelinux, stage: .ipxe([.http, .efi]), architecture: .x64EFI, file: script, program: .ipxe),
        // Shim is for UEFI.
        Row(loader: .shim, stage: .firmware, architecture: .x64EFI, file: "shim/shimx64.efi", program: .shim),
        Row(loader: .shim, stage: .firmware, architecture: .arm64EFI, file: "shim/shimaa64.efi", program: .shim),
        Row(
            loader: .shim,
            stage: .firmwareHTTP,
            architecture: .x64HTTP,
            file: "\(http)/boot/52-54-00-12-34-56/boot.img",
            program: .image
        ),
        Row(
            loader: .shim,
            stage: .firmwareHTTP,
            architecture: .x64HTTP,
            file: "\(http)/boot/52-54-00-12-34-56/boot.img",
            program: .image,
            isProxy: true
        ),
        Row(loader: .shim, stage: .firmware, architecture: .bios, file: "undionly.kpxe", program: .ipxe),
        Row(loader: .shim, stage: able, architecture: .bios, file: script, program: .ipxe),
        // None.
        Row(loader: .none, stage: .firmware, architecture: .bios, file: nil, program: nil),
        Row(loader: .none, stage: able, architecture: .bios, file: nil, program: nil),
        Row(loader: .grub, stage: .system, architecture: .bios, file: nil, program: nil),
        // U-Boot reads PXELINUX's files whatever the setting.
        Row(loader: .auto, stage: .firmware, architecture: .arm64UBoot, file: "pxelinux.0", program: .uboot),
        // A loader that runs is told where its configuration is.
        Row(loader: .grub, stage: .loader(.grub), architecture: .bios, file: "grub/grub.cfg", program: .grub),
        Row(
            loader: .pxelinux,
            stage: .loader(.pxelinux),
            architecture: .bios,
            file: "pxelinux.cfg/01-52-54-00-12-34-56",
            program: .pxelinux
        ),
    ]

    static func inputs(_ row: Row) throws -> BootPlanner.Inputs {
        var settings = Settings()
        settings.loader = row.loader
        var inputs = try BootPlannerTests.inputs(
            row.stage,
            row.architecture,
            settings: settings,
            image: BootPlannerTests.image(architecture: row.architecture.machine == .arm64 ? "arm64" : "amd64"),
            addressing: row.isProxy ? .foreign : nil,
            loaders: all.subtracting(row.without)
        )
        inputs.hasLoader = row.hasLoader
        return inputs
    }

    @Test(arguments: rows)
    func eachSettingGivesEachFirmwareItsLoader(row: Row) throws {
        let plan = try BootPlanner.plan(Self.inputs(row))
        #expect(plan.bootFile?.text == row.file)
        #expect(plan.program == row.program)
    }

    static let refusals: [(Row, String)] = [
        (
            Row(loader: .shim, stage: .firmware, architecture: .x64EFI, isProxy: true),
            "cannot boot by PXE beside another DHCP server"
        ),
        (
            Row(loader: .shim, stage: .firmware, architecture: .x64EFI, without: ["shim/grubx64.efi"]),
            "needs shim/grubx64.efi: install the packages shim-signed and grub-efi-amd64-signed"
        ),
        (
            Row(loader: .grub, stage: .firmware, architecture: .bios, without: ["grub.0"]),
            "install the packages grub-common and grub-pc-bin"
        ),
        (
            Row(loader: .pxelinux, stage: able, architecture: .bios, without: ["pxelinux.0"]),
            "install the packages pxelinux and syslinux-common"
        ),
    ]

    @Test(arguments: refusals)
    func whatIsMissingIsSaid(row: Row, words: String) throws {
        let inputs = try Self.inputs(row)
        let refusal = #expect(throws: BootRefusal.self) { try BootPlanner.plan(inputs) }
        #expect(refusal?.reason.contains(words) == true, "\(refusal?.reason ?? "none")")
    }

    // MARK: Raspberry Pi

    /// RPi4, revision c03112, low half of the address, serial 1a2b3c4d: little endian (rpi-eeprom).
    static let piUUID = MachineUUID(
        bytes: Array("RPi4".utf8) + [0x12, 0x31, 0xc0, 0x00] + [0xc2, 0x36, 0x01, 0x32] + [0x4d, 0x3c, 0x2b, 0x1a]
    )

    @Test func aRaspberryPiIsKnownByWhatItTells() throws {
        let pi = try #require(RaspberryPi(mac: Self.mac, uuid: Self.piUUID))
        #expect(pi.model == 4 && pi.revision == 0xc03112 && pi.serialText == "1a2b3c4d")
        #expect(RaspberryPi(mac: try #require(MACAddress("dc:a6:32:01:36:c2")), uuid: nil)?.words == "Raspberry Pi")
        #expect(RaspberryPi(mac: Self.mac, uuid: nil) == nil)
    }

    @Test func aRaspberryPiNeedsAnImageWithItsFirmware() throws {
        var inputs = try BootPlannerTests.inputs(.firmware, .bios, image: BootPlannerTests.image(architecture: "arm64"))
        inputs.request.uuid = Self.piUUID
        let refusal = #expect(throws: BootRefusal.self) { try BootPlanner.plan(inputs) }
        #expect(refusal?.reason.contains("no firmware files for a Raspberry Pi") == true)
        inputs.image?.files[.firmware] = ImageFile(name: "firmware.cpio", size: 1, sha256: "")
        #expect(try BootPlanner.plan(inputs).program == .raspberryPi)
    }
}
