import CLinux
import CPIO
import Testing

@testable import InitramfsBuilder

@Suite struct InitramfsBuilderTests {
    private static func builder(_ tree: borrowing MadeUpTree, _ compression: Compression? = .stored) -> InitramfsBuilder
    {
        InitramfsBuilder(
            tree: tree.image,
            release: MadeUpTree.release,
            architecture: "amd64",
            programs: tree.programs,
            compression: compression
        )
    }

    private static func entries(_ path: String) throws -> [CPIOEntry] {
        let bytes = try #require(try FileTree.readHostFile(path))
        return try CPIOReader.entries(of: bytes.span)
    }

    private static func text(_ path: String, _ entries: [CPIOEntry]) throws -> String {
        let entry = try #require(entries.first { $0.path == path })
        return String(decoding: entry.data, as: UTF8.self)
    }

    @Test func takesWhatTheRulesNameAndWhatThatNeeds() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        try Self.builder(tree).build(into: tree.path + "/out")
        let entries = try Self.entries(tree.path + "/out")
        let folder = "lib/modules/\(MadeUpTree.release)/"
        let modules = entries.map(\.path).filter { $0.hasSuffix(".ko") }.map { $0.dropFirst(folder.count) }
        #expect(
            modules == [
                "kernel/arch/x86/crypto/crc32c-intel.ko", "kernel/crypto/crc32c_generic.ko",
                "kernel/drivers/block/nbd.ko", "kernel/drivers/net/ethernet/v/card.ko",
                "kernel/drivers/net/ethernet/v/packed.ko", "kernel/fs/overlayfs/overlay.ko",
                "kernel/fs/squashfs/squashfs.ko", "kernel/lib/bus.ko", "kernel/lib/libcrc32c.ko",
            ]
        )
        #expect(
            try Self.text(folder + "modules.alias", entries)
                == "alias pci:v00008086d* card\nalias crc32c crc32c_intel\nalias crypto-crc32c crc32c_intel\n"
                + "alias crc32c crc32c_generic\n"
        )
        let dependencies = try Self.text(folder + "modules.dep", entries)
        #expect(
            dependencies.split(separator: "\n").contains(
                "kernel/drivers/net/ethernet/v/card.ko: kernel/drivers/net/ethernet/v/packed.ko kernel/lib/bus.ko"
            )
        )
        #expect(!dependencies.contains("noise"))
        #expect(try Self.text(folder + "kernel/drivers/net/ethernet/v/packed.ko", entries).hasPrefix("module in xz"))
    }

    @Test func bringsProgramsFirmwareAndPlaces() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        try Self.builder(tree).build(into: tree.path + "/out")
        let entries = try Self.entries(tree.path + "/out")
        #expect(try Self.text("init", entries) == "program init")
        #expect(try Self.text("sbin/nbd-attach", entries) == "program build/nbd-attach-amd64")
        #expect(try Self.text("lib/firmware/card/a.bin", entries) == "firmware")
        #expect(!entries.contains { $0.path.contains("shadow") })
        #expect(try Self.text("bin/sh", entries) == "busybox")
        #expect(entries.contains(.characterDevice("dev/console", major: 5, minor: 1, permissions: 0o600)))
        var seen: Set<String> = []
        for entry in entries {
            let parent = entry.path.split(separator: "/").dropLast().joined(separator: "/")
            #expect(parent.isEmpty || seen.contains(parent), "\(entry.path) comes before its directory")
            #expect(seen.insert(entry.path).inserted)
            #expect(entry.modified == 0)
        }
    }

    @Test(arguments: Compression.allCases)
    func theSameInputGivesTheSameBytes(_ compression: Compression) throws {
        let tree = try MadeUpTree()
        try tree.fill()
        for name in ["one", "two"] { try Self.builder(tree, compression).build(into: tree.path + "/" + name) }
        #expect(try FileTree.readHostFile(tree.path + "/one") == FileTree.readHostFile(tree.path + "/two"))
    }

    @Test func theKernelDecidesTheCompression() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        let image = try FileTree(tree.image)
        #expect(try Compression.best(for: MadeUpTree.release, in: image) == .zstd)
        #expect(try Compression.best(for: "5.0", in: image) == .gzip)
    }

    /// What cpio unpacks is what we packed: names, contents, links.
    @Test func cpioReadsIt() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        try Self.builder(tree, .gzip).build(into: tree.path + "/out")
        let script = """
            mkdir \(tree.path)/x && cd \(tree.path)/x && zcat ../out | cpio -id --quiet --no-absolute-filenames 'bin/*' init lib/\\* \
            && cmp init ../programs/init && test "$(readlink bin/sh)" = busybox && test -x bin/busybox \
            && test "$(zcat ../out | cpio -t --quiet | wc -l)" -gt 60
            """
        #expect(run(["sh", "-c", script]))
    }

    @Test func saysWhatIsMissing() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        var builder = Self.builder(tree)
        builder.release = "9.9"
        #expect(throws: InitramfsError.noModules(release: "9.9")) { try builder.build(into: "/nowhere/out") }
        builder = Self.builder(tree)
        builder.architecture = "arm64"
        #expect(throws: InitramfsError.self) { try builder.build(into: "/nowhere/out") }
        builder = Self.builder(tree)
        builder.rules.required = ["absent"]
        #expect(throws: InitramfsError.missingModule("absent", release: MadeUpTree.release)) {
            try builder.build(into: "/nowhere/out")
        }
        try tree.write("image/bin/busybox", MadeUpTree.elf(machine: 62, isStatic: false))
        let error = #expect(throws: InitramfsError.self) { try Self.builder(tree).build(into: "/nowhere/out") }
        #expect(error?.description.contains("install busybox-static") == true)
    }

    @Test func aFailureLeavesNothingBehind() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        try tree.write(
            "image/usr/lib/modules/\(MadeUpTree.release)/kernel/drivers/net/ethernet/v/packed.ko.xz",
            "rubbish"
        )
        let error = #expect(throws: InitramfsError.self) { try Self.builder(tree).build(into: tree.path + "/out") }
        #expect(error?.description.hasPrefix("xz: ") == true)
        #expect(try FileTree.readHostFile(tree.path + "/out") == nil)
        #expect(try FileTree.readHostFile(tree.path + "/out.part") == nil)
    }

    @Test func requiredModulesMayBeBuiltIn() throws {
        let tree = try MadeUpTree()
        try tree.fill()
        let index = try ModuleIndex(release: MadeUpTree.release, image: try FileTree(tree.image))
        let rules = ModuleRules(required: ["ext4"], names: ["squashfs"], folders: [])
        #expect(try rules.select(from: index).names == ["squashfs", "libcrc32c", "crc32c_intel", "crc32c_generic"])
    }
}
