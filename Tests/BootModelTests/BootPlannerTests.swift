import BootModel
import NetworkTypes
import Testing

/// One machine, asked about in every way: a row a case.
@Suite struct BootPlannerTests {
    static let mac = MACAddress(value: 0x5254_0012_3456)
    static let server = ServerAddresses(address: IPv4Address(10, 0, 0, 1))
    static let everyLoader: Set = ["undionly.kpxe", "snponly.efi", "ipxe.efi", "ipxe-arm64.efi"]

    static func image(_ format: RootFormat = .squashfs, architecture: String = "amd64") throws -> ImageVersion {
        ImageVersion(
            id: try #require(ImageVersionID("debian@7")),
            architecture: architecture,
            kernelRelease: "6.1.0-56-amd64",
            rootFormat: format,
            created: Timestamp(seconds: 0),
            kernelArguments: ["console=ttyS0"],
            files: [
                .kernel: ImageFile(name: "kernel", size: 1, sha256: ""),
                .initramfs: ImageFile(name: "initramfs", size: 1, sha256: ""),
                .root: ImageFile(name: format.fileName, size: 1, sha256: ""),
            ]
        )
    }

    static func inputs(
        _ stage: BootStage,
        _ architecture: ClientArchitecture? = .bios,
        settings: Settings = Settings(),
        image: ImageVersion?,
        addressing: NodeAddressing? = nil,
        loaders: Set<String> = everyLoader
    ) throws -> BootPlanner.Inputs {
        BootPlanner.Inputs(
            node: Node(name: try NodeName(validating: "megane"), macs: [mac], settings: settings),
            settings: EffectiveSettings(layers: [(.node, settings)]),
            image: image,
            request: NodeRequest(mac: mac, architecture: architecture, stage: stage),
            addressing: try addressing
                ?? .leased(
                    address: IPv4Address(10, 0, 0, 71),
                    subnet: #require(IPv4Subnet("10.0.0.0/24")),
                    router: IPv4Address(10, 0, 0, 254),
                    nameservers: [IPv4Address(10, 0, 0, 53)]
                ),
            server: server,
            boot: BootIdentifier(random: 1, 2),
            loaders: loaders
        )
    }

    static let bootFiles: [(BootStage, ClientArchitecture?, String?)] = [
        (.firmware, .bios, "undionly.kpxe"),
        (.firmware, nil, "undionly.kpxe"),
        (.firmware, .x64EFI, "snponly.efi"),
        (.firmware, .efiByteCode, "snponly.efi"),
        (.firmware, .arm64EFI, "ipxe-arm64.efi"),
        (.firmwareHTTP, .x64HTTP, "http://10.0.0.1:8067/loaders/snponly.efi"),
        (.firmwareHTTP, .arm64HTTP, "http://10.0.0.1:8067/loaders/ipxe-arm64.efi"),
        (.ipxe([.http, .bzImage]), .bios, "http://10.0.0.1:8067/boot/52-54-00-12-34-56/script.ipxe"),
        (.ipxe([.http, .efi]), .x64EFI, "http://10.0.0.1:8067/boot/52-54-00-12-34-56/script.ipxe"),
        // An iPXE that cannot fetch over HTTP gets ours, not the script.
        (.ipxe([.bzImage]), .bios, "undionly.kpxe"),
        (.system, nil, nil),
    ]

    @Test(arguments: bootFiles)
    func eachStageGetsTheFileItCanUse(stage: BootStage, architecture: ClientArchitecture?, file: String?) throws {
        let isARM = architecture?.machine == .arm64
        let image = try Self.image(architecture: isARM ? "arm64" : "amd64")
        let plan = try BootPlanner.plan(Self.inputs(stage, architecture, image: image))
        #expect(plan.bootFile?.text == file)
    }

    @Test func theKernelLearnsEverythingFromItsCommandLine() throws {
        let settings = Settings(writes: .ram, kernelArguments: ["quiet"])
        let plan = try BootPlanner.plan(Self.inputs(.ipxe([.http, .bzImage]), settings: settings, image: Self.image()))
        #expect(
            plan.kernelArguments == [
                "console=ttyS0", "quiet", "net.ifnames=0", "BOOTIF=01-52-54-00-12-34-56",
                "ip=10.0.0.71:10.0.0.1:10.0.0.254:255.255.255.0:megane::off:10.0.0.53",
                "diskless.root=nbd://10.0.0.1:10809/debian@7", "diskless.writes=ram",
                "diskless.report=http://10.0.0.1:8067/boot/52-54-00-12-34-56/00000000000000010000000000000002",
            ]
        )
        #expect(plan.script.hasPrefix("#!ipxe\n"))
        #expect(
            plan.script.contains("kernel http://10.0.0.1:8067/images/debian/7/kernel initrd=initramfs console=ttyS0")
        )
        #expect(plan.script.contains("initrd --name initramfs http://10.0.0.1:8067/images/debian/7/initramfs"))
    }

    @Test func besideAForeignServerTheLoaderFillsInTheAddress() throws {
        let plan = try BootPlanner.plan(
            Self.inputs(.ipxe([.http, .bzImage]), image: Self.image(), addressing: .foreign)
        )
        #expect(
            plan.kernelArguments.contains(
                "ip=${netX/ip}:10.0.0.1:${netX/gateway}:${netX/netmask}:megane::off:${netX/dns}"
            )
        )
        #expect(plan.kernelArguments.contains("diskless.lease=renew"))
    }

    @Test func copyOnWriteIsNamedAfterNodeAndBoot() throws {
        let plan = try BootPlanner.plan(
            Self.inputs(.firmware, settings: Settings(writes: .cow), image: Self.image(.ext4))
        )
        #expect(plan.root.url == "nbd://10.0.0.1:10809/debian@7/megane/00000000000000010000000000000002")
    }

    @Test(
        arguments: [
            (RootWrites.keep, nil, "3", true), (.none, nil, "3", true), (.ram, nil, "3", false),
            (.shared, .v42, "4.2", true),
            (.cow, .v41, "4.1", true), (.shared, .v3, "3", true),
        ] as [(RootWrites, NFSVersion?, String, Bool)]
    )
    func aTreeIsMountedWithTheVersionThatFits(writes: RootWrites, asked: NFSVersion?, version: String, tells: Bool)
        throws
    {
        var settings = Settings(via: .nfs, writes: writes)
        settings.rootVersion = asked
        let plan = try BootPlanner.plan(
            Self.inputs(.ipxe([.http, .bzImage]), settings: settings, image: Self.image())
        )
        #expect(plan.root.url.hasSuffix("?vers=\(version)"))
        #expect(plan.root.url.hasPrefix("nfs://10.0.0.1:2049/"))
        #expect(plan.reasons.contains("NFS version \(version) (\(asked == nil ? "built in" : "node"))"))
        // For an initramfs that is not ours; none but ours has a root in memory.
        let path = plan.root.trees.first?.path ?? ""
        #expect(plan.kernelArguments.contains("root=/dev/nfs") == tells)
        #expect(
            plan.kernelArguments.contains("nfsroot=10.0.0.1:\(path),vers=\(version),tcp,port=2049,hard,nolock") == tells
        )
    }

    @Test func theRootOfAnotherServerIsMountedWithoutAPortOfOurs() throws {
        var settings = Settings(via: .nfs, writes: .ram)
        settings.rootServer = IPv4Address(10, 0, 0, 9)
        let plan = try BootPlanner.plan(
            Self.inputs(.ipxe([.http, .bzImage]), settings: settings, image: Self.image())
        )
        #expect(plan.root.url == "nfs://10.0.0.9/images/debian@7?vers=4.2")
    }

    @Test("What nodes share has locks that hold between them, unless another version is asked for")
    func sharedMounts() throws {
        var settings = Settings(via: .nfs, writes: .ram)
        let (home, opt) = (try #require(NodePath("/home")), try #require(NodePath("/opt")))
        let nas = IPv4Address(10, 0, 0, 9)
        settings.mounts = [
            .nfs(home, at: home, mode: .readWrite), .nfs(opt, at: opt, server: nas, version: .v3),
        ]
        let plan = try BootPlanner.plan(
            Self.inputs(.ipxe([.http, .bzImage]), settings: settings, image: Self.image())
        )
        #expect(
            plan.root.mounts == [
                "nfs\t10.0.0.1\t2049\t/mounts/home\t/home\trw\t4.2", "nfs\t10.0.0.9\t-\t/opt\t/opt\tro\t3",
            ]
        )
    }

    static let refusals: [(Settings, RootFormat?, String, ClientArchitecture, Set<String>, String)] = [
        (Settings(), nil, "amd64", .bios, everyLoader, "there is no image yet"),
        (Settings(image: ImageReference("gone")), nil, "amd64", .bios, everyLoader, "image gone (node) does not exist"),
        (Settings(writes: .cow), .squashfs, "amd64", .bios, everyLoader, "needs an ext4 or btrfs image"),
        (Settings(via: .nfsImage, writes: .shared), .ext4, "amd64", .bios, everyLoader, "cannot work"),
        (Settings(via: .ram, writes: .cow), .ext4, "amd64", .bios, everyLoader, "cannot work"),
        (Settings(), .squashfs, "arm64", .bios, everyLoader, "is for arm64, but this machine is amd64"),
        (Settings(), .squashfs, "amd64", .bios, [], "install the package ipxe"),
        (
            Settings(kernelArguments: [String(repeating: "a", count: 1900)]), .squashfs, "amd64", .bios, everyLoader,
            "more than the 1984 that reach a kernel"
        ),
        (Settings(), .squashfs, "amd64", .ia32EFI, everyLoader, "no loader for 32-bit x86 UEFI"),
    ]

    @Test(arguments: refusals)
    func whatCannotBootSaysWhy(
        settings: Settings,
        format: RootFormat?,
        architecture: String,
        client: ClientArchitecture,
        loaders: Set<String>,
        words: String
    ) throws {
        let image = try format.map { try Self.image($0, architecture: architecture) }
        let inputs = try Self.inputs(.firmware, client, settings: settings, image: image, loaders: loaders)
        let refusal = #expect(throws: BootRefusal.self) { try BootPlanner.plan(inputs) }
        #expect(refusal?.reason.contains(words) == true, "\(refusal?.reason ?? "no refusal")")
    }

    @Test func aRefusalIsShownOnTheMachinesScreen() {
        let script = BootRefusal("no image ${evil}\nreboot now").script
        #expect(script.contains("echo diskless: no image {evil}reboot now\n"))
    }
}
