import CLinux
import Testing

/// A directory with the files of a made-up image and the programs of a made-up node; removed at the end.
struct MadeUpTree: ~Copyable {
    static let release = "6.1.0-test"
    let path: String

    init() throws {
        let template = try unsafe #require(unsafe strdup("/tmp/initramfs-test-XXXXXX"))
        defer { unsafe free(template) }
        let made = unsafe mkdtemp(template).map { unsafe String(cString: $0) }
        path = try #require(made)
    }

    deinit {
        // Only what this value made: nftw would need a C callback, so ask the tool.
        run(["rm", "-rf", path])
    }

    var image: String { path + "/image" }
    var programs: String { path + "/programs" }

    func write(_ file: String, _ bytes: [UInt8]) throws {
        let full = path + "/" + file
        var parent = ""
        for part in full.split(separator: "/").dropLast() {
            parent += "/" + part
            unsafe mkdir(parent, 0o755)
        }
        let descriptor = unsafe clinux_open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let count = unsafe bytes.withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
        try #require(count == bytes.count)
    }

    func write(_ file: String, _ text: String) throws { try write(file, Array(text.utf8)) }

    func link(_ file: String, to target: String) throws {
        try #require(unsafe symlink(target, path + "/" + file) == 0)
    }

    /// A usr-merged image with a few modules, and the node's programs.
    func fill() throws {
        let modules = "image/usr/lib/modules/\(Self.release)/"
        try write(modules + "modules.dep", Self.dependencies)
        try write(modules + "modules.softdep", "softdep libcrc32c pre: crc32c\nsoftdep other post: nbd\n")
        try write(modules + "modules.alias", Self.aliases)
        try write(modules + "modules.builtin", "kernel/fs/ext4/ext4.ko\n")
        for line in Self.dependencies.split(separator: "\n") {
            let file = String(line.prefix { $0 != ":" })
            if !file.hasSuffix(".xz") { try write(modules + file, "module \(file)") }
        }
        try write("plain", Array("module in xz\0firmware=card/a.bin\0firmware=../../etc/shadow\0".utf8))
        try #require(
            run(["sh", "-c", "xz -c \(path)/plain > \(path)/\(modules)kernel/drivers/net/ethernet/v/packed.ko.xz"])
        )
        // Absolute links of the image mean the image, not this machine.
        try link("image/lib", to: "/usr/lib")
        try write("image/usr/lib/firmware/card/a.bin", "firmware")
        try write("image/etc/shadow", "secret")
        try write("image/boot/config-\(Self.release)", "CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n")
        try write("image/bin/busybox", Self.elf(machine: 62, isStatic: true))
        for name in [
            "init", "lay-files", "overlay", "mount-root", "prepare-root", "take-lease", "build/nbd-attach-amd64",
        ] {
            try write("programs/" + name, "program \(name)")
        }
    }

    static let dependencies = """
        kernel/drivers/block/nbd.ko:
        kernel/drivers/net/ethernet/v/card.ko: kernel/drivers/net/ethernet/v/packed.ko.xz kernel/lib/bus.ko
        kernel/drivers/net/ethernet/v/packed.ko.xz: kernel/lib/bus.ko
        kernel/lib/bus.ko:
        kernel/fs/overlayfs/overlay.ko:
        kernel/fs/squashfs/squashfs.ko: kernel/lib/libcrc32c.ko
        kernel/lib/libcrc32c.ko:
        kernel/arch/x86/crypto/crc32c-intel.ko:
        kernel/crypto/crc32c_generic.ko:
        kernel/sound/noise.ko:

        """

    static let aliases = """
        # Aliases extracted from modules themselves.
        alias pci:v00008086d* card
        alias pci:v00001234d* noise
        alias crc32c crc32c_intel
        alias crypto-crc32c crc32c_intel
        alias crc32c crc32c_generic

        """

    /// A 64-bit ELF header with one program header.
    static func elf(machine: UInt8, isStatic: Bool) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 120)
        bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
        bytes[18] = machine
        bytes[32] = 64
        bytes[54] = 56
        bytes[56] = 1
        bytes[64] = isStatic ? 1 : 3
        return bytes
    }
}

/// Runs a tool of this machine; true when it ends well.
@discardableResult
func run(_ arguments: [String]) -> Bool {
    let words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
    guard unsafe posix_spawnp(&pid, arguments.first ?? "", nil, nil, words, &environment) == 0 else { return false }
    var status: Int32 = 0
    return unsafe waitpid(pid, &status, 0) == pid && status == 0
}
