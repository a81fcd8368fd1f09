import Testing

@testable import BootModel

/// Files of the user's that are not what they are named as.
@Suite struct LoaderFormatTests {
    /// The beginning of a UEFI program for a processor.
    static func program(_ machine: UInt16, header: Int = 0x80) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        (bytes[0], bytes[1]) = (0x4d, 0x5a)
        (bytes[0x3c], bytes[0x3d]) = (UInt8(header & 255), UInt8(header >> 8))
        if header + 6 <= bytes.count {
            bytes.replaceSubrange(
                header..<header + 6,
                with: [0x50, 0x45, 0, 0, UInt8(machine & 255), UInt8(machine >> 8)]
            )
        }
        return bytes
    }

    static let files: [(name: String, head: [UInt8], size: Int64, problem: String?)] = [
        ("snponly.efi", program(0x8664), 200_000, nil),
        ("snponly-arm64.efi", program(0xaa64), 200_000, nil),
        ("shim/shimaa64.efi", program(0xaa64), 900_000, nil),
        ("snponly.efi", program(0xaa64), 200_000, "is a UEFI program for arm64, not for x86-64"),
        ("ipxe.efi", program(0x014c), 200_000, "is a UEFI program for 32-bit x86, not for x86-64"),
        ("shim/shimaa64.efi", program(0x8664), 200_000, "is a UEFI program for x86-64, not for arm64"),
        ("ipxe.efi", program(0x5064), 200_000, "is a UEFI program for processor type 0x5064, not for x86-64"),
        ("ipxe.efi", [0xea, 0, 0], 70_000, "is no UEFI program"),
        ("undionly.kpxe", [0xea] + [UInt8](repeating: 0, count: 600), 70_000, nil),
        ("undionly.kpxe", program(0x8664), 70_000, "is a UEFI program for x86-64, not a loader for BIOS"),
        ("pxelinux.0", [0xfa], 700_000, "has 700000 bytes, more than the 654336 that BIOS can load"),
        ("pxelinux.0", [], 0, "is empty"), ("menu.c32", [], 0, "is empty"), ("menu.c32", [0x7f], 1, nil),
    ]

    @Test(arguments: files)
    func filesAreToldApart(name: String, head: [UInt8], size: Int64, problem: String?) {
        #expect(LoaderFormat.problem(of: name, head: head, size: size) == problem)
    }

    @Test(arguments: [0, 0x3f, 507, 0xffff])
    func headersThatLieElsewhereAreNone(header: Int) {
        #expect(LoaderFormat.machine(Self.program(0x8664, header: header)) == nil)
    }

    @Test func everyCutIsRead() {
        let whole = Self.program(0x8664)
        for length in 0...whole.count { _ = LoaderFormat.machine(Array(whole[..<length])) }
        #expect(LoaderFormat.machine(Array(whole[..<0x86])) == 0x8664)
        #expect(LoaderFormat.machine(Array(whole[..<0x85])) == nil)
    }
}
