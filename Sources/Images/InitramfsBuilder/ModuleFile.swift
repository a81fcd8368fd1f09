/// Kernel modules and firmware as files: unpacked here, so that neither busybox nor the node's kernel has to.
enum ModuleFile {
    /// Suffix of a packed file and the tool that unpacks it.
    private static let unpackers = [
        (suffix: ".xz", tool: ["xz", "-d", "-c"]),
        (suffix: ".zst", tool: ["zstd", "-q", "-d", "-c"]),
        (suffix: ".gz", tool: ["gzip", "-d", "-c"]),
    ]

    /// `kernel/a/b.ko` of `kernel/a/b.ko.xz`.
    static func plainPath(_ path: String) -> String {
        for unpacker in unpackers where path.hasSuffix(unpacker.suffix) {
            return String(path.dropLast(unpacker.suffix.count))
        }
        return path
    }

    /// The module's name: `crc32c_intel` of `kernel/arch/x86/crypto/crc32c-intel.ko.xz`.
    static func name(_ path: String) -> String {
        let file = plainPath(path).split(separator: "/").last.map(String.init) ?? path
        return normalized(file.hasSuffix(".ko") ? String(file.dropLast(3)) : file)
    }

    /// Module names mean the same with `-` and `_`.
    static func normalized(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }

    /// The unpacked content of a module; nil when it is not there.
    static func read(_ path: String, in image: borrowing FileTree) throws(InitramfsError) -> [UInt8]? {
        guard let bytes = try image.read(path) else { return nil }
        for unpacker in unpackers where path.hasSuffix(unpacker.suffix) {
            return try Filter.output(unpacker.tool, input: bytes)
        }
        return bytes
    }

    /// A firmware file as the kernel would find it, unpacked; nil when the image does not bring it.
    static func readFirmware(
        _ name: String,
        release: String,
        in image: borrowing FileTree
    ) throws(InitramfsError) -> [UInt8]? {
        for folder in [
            "lib/firmware/updates/\(release)/", "lib/firmware/updates/", "lib/firmware/\(release)/", "lib/firmware/",
        ] {
            for suffix in ["", ".xz", ".zst"] {
                if let bytes = try read(folder + name + suffix, in: image) { return bytes }
            }
        }
        return nil
    }

    /// The firmware files that a module says it may ask for (`firmware=` in its `.modinfo`), sorted.
    static func firmwareNames(of module: [UInt8]) -> [String] {
        let mark = Array("\0firmware=".utf8)
        var names: Set<String> = []
        var start = 0
        while let zero = module[start...].firstIndex(of: 0) {
            start = zero + 1
            guard module[zero...].starts(with: mark) else { continue }
            let value = module[(zero + mark.count)...].prefix { $0 != 0 && $0 < 0x80 }
            let name = String(decoding: value, as: UTF8.self)
            guard !name.isEmpty, value.count < 256, !name.split(separator: "/").contains("..") else { continue }
            names.insert(name)
        }
        return names.sorted()
    }
}
