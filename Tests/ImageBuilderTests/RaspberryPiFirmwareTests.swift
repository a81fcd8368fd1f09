import CPIO
import Foundation
import Testing

@testable import ImageBuilder

@Suite struct RaspberryPiFirmwareTests {
    private func tree(_ files: [String: String]) throws -> String {
        let tree = NSTemporaryDirectory() + "pi-\(UUID().uuidString)"
        for (name, text) in files {
            let url = URL(fileURLWithPath: "\(tree)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: url)
        }
        return tree
    }

    private func archive(_ files: [String: String]) throws -> [String: String]? {
        let tree = try tree(files)
        defer { try? FileManager.default.removeItem(atPath: tree) }
        guard let bytes = try RaspberryPiFirmware.archive(tree: tree, release: "6.1.0-1-arm64") else { return nil }
        let entries = try CPIOReader.entries(of: bytes.span)
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.path, String(decoding: $0.data, as: UTF8.self)) })
    }

    @Test func bootFirmwareIsTakenWithoutKernels() throws {
        let found = try archive([
            "boot/firmware/start4.elf": "start", "boot/firmware/config.txt": "own", "boot/firmware/vmlinuz-6.1": "no",
            "boot/firmware/kernel8.img": "no", "boot/firmware/initrd.img-6.1": "no",
            "boot/firmware/overlays/overlay_map.dtb": "map",
        ])
        #expect(found == ["start4.elf": "start", "config.txt": "own", "overlays/overlay_map.dtb": "map"])
    }

    @Test func debiansPackageIsPutTogether() throws {
        let found = try archive([
            "usr/lib/raspi-firmware/start4.elf": "start", "usr/lib/raspi-firmware/bootcode.bin": "code",
            "usr/lib/linux-image-6.1.0-1-arm64/broadcom/bcm2711-rpi-4-b.dtb": "tree",
            "usr/lib/linux-image-6.1.0-1-arm64/allwinner/other.dtb": "no",
        ])
        #expect(found == ["start4.elf": "start", "bootcode.bin": "code", "bcm2711-rpi-4-b.dtb": "tree"])
    }

    @Test func otherTreesHaveNone() throws {
        #expect(try archive(["boot/grub/grub.cfg": "x"]) == nil)
    }
}
