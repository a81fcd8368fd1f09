/// What a loader file is, told by its first bytes: a file of the user's may be the wrong one.
public enum LoaderFormat {
    /// How many bytes from the file's beginning tell.
    public static let headLength = 4096

    /// The most that BIOS firmware can load: what lies below 640 KiB, in bytes.
    static let biosLimit: Int64 = 639 << 10

    /// Why a file cannot be the loader of this name, as the end of a sentence ("is empty"); nil when it can.
    ///
    /// `head` is the file's beginning, at most ``headLength`` bytes; `size` its length in bytes.
    public static func problem(of name: String, head: [UInt8], size: Int64) -> String? {
        guard size > 0 else { return "is empty" }
        switch expected(name) {
        case .efi(let wanted)?:
            guard let machine = machine(head) else { return "is no UEFI program" }
            guard machine != wanted else { return nil }
            return "is a UEFI program for \(words(machine)), not for \(words(wanted))"
        case .bios?:
            if let machine = machine(head) { return "is a UEFI program for \(words(machine)), not a loader for BIOS" }
            return size > biosLimit ? "has \(size) bytes, more than the \(biosLimit) that BIOS can load" : nil
        case nil: return nil
        }
    }

    private enum Expected {
        case bios
        case efi(UInt16)
    }

    /// What firmware loads; nil for files that loaders load themselves.
    private static func expected(_ name: String) -> Expected? {
        if name.hasSuffix(".efi") {
            return .efi(name.contains("arm64") || name.contains("aa64") ? 0xaa64 : 0x8664)
        }
        return name.hasSuffix(".0") || name.hasSuffix("pxe") ? .bios : nil
    }

    /// The processor of a PE program (PE format, "COFF file header"); nil for another file.
    static func machine(_ head: [UInt8]) -> UInt16? {
        guard head.count >= 0x40, head[0] == 0x4d, head[1] == 0x5a else { return nil }
        let at = (0..<4).reduce(0) { $0 | Int(head[0x3c + $1]) << (8 * $1) }
        guard at >= 0x40, at <= head.count - 6, head[at..<at + 4].elementsEqual([0x50, 0x45, 0, 0]) else { return nil }
        return UInt16(head[at + 4]) | UInt16(head[at + 5]) << 8
    }

    private static func words(_ machine: UInt16) -> String {
        switch machine {
        case 0x8664: "x86-64"
        case 0xaa64: "arm64"
        case 0x014c: "32-bit x86"
        case 0x01c2, 0x01c4: "32-bit ARM"
        default: "processor type 0x" + String(machine, radix: 16)
        }
    }
}
