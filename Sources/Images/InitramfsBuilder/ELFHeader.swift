/// As much of an ELF file as says where it runs, and whether it needs a dynamic loader.
struct ELFHeader {
    let machine: UInt16
    let isStatic: Bool

    /// nil when the bytes are no complete little-endian ELF header.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]), bytes.count > 64, bytes[5] == 1 else { return nil }
        let isWide = bytes[4] == 2
        func field(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            var value: UInt64 = 0
            for index in (0..<size).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
            return Int(exactly: value)
        }
        guard let code = field(18, 2), let table = isWide ? field(32, 8) : field(28, 4),
            let size = field(isWide ? 54 : 42, 2), let count = field(isWide ? 56 : 44, 2)
        else { return nil }
        machine = UInt16(truncatingIfNeeded: code)
        var hasInterpreter = false
        for index in 0..<count {
            guard table <= bytes.count, let type = field(table + index * size, 4) else { return nil }
            if type == 3 { hasInterpreter = true }
        }
        isStatic = !hasInterpreter
    }

    /// Whether a kernel of this Debian architecture starts it without any library.
    func runs(on architecture: String) -> Bool {
        let codes: [String: UInt16] = ["amd64": 62, "i386": 3, "arm64": 183, "armhf": 40, "armel": 40, "riscv64": 243]
        guard isStatic else { return false }
        return codes[architecture].map { $0 == machine } ?? true
    }
}
