import BootModel
import CLinux
import FAT
import HTTPServer
import NetworkIO
import NetworkTypes

/// The file system image that UEFI HTTP Boot loads where nothing else works under Secure Boot: shim, signed GRUB, its
/// configuration, kernel and initramfs archives.
///
/// Made for each node while it is sent; nothing of it is stored.
struct BootImage {
    let loaders: LoaderFiles
    let catalog: any ImageCatalog

    /// Free space that takes up what an overlay archive grows by between the firmware's HEAD and its GET, in bytes.
    private static let room: UInt64 = 1 << 20

    /// The image of a plan; `overlay` gives the content of its overlay archive.
    ///
    /// Throws `BootRefusal` when a part is missing, and errors of one line when a file cannot be read.
    func pieces(_ plan: BootPlan, overlay: () -> [UInt8]?) throws -> HTTPPieces {
        guard case .linux(let boot) = plan.menu.defaultEntry.action,
            let version = try catalog.resolve(.version(boot.image))
        else { throw BootRefusal("the boot image holds a Linux system only") }
        let isARM = version.architecture == "arm64"
        // The one system that boots by default: the firmware fetches the whole image first, into memory.
        let menu = BootMenu(node: plan.menu.node, entries: [plan.menu.defaultEntry])
        let configuration = GRUBConfiguration.text(menu, from: .image(markedBy: boot.kernel))
        var contents: [(String, HTTPPieces.Piece)] = [
            (
                "EFI/BOOT/\(isARM ? "BOOTAA64" : "BOOTX64").EFI",
                try loader(isARM ? LoaderName.shimARM64 : LoaderName.shimX64)
            ),
            (
                "EFI/BOOT/\(isARM ? "grubaa64" : "grubx64").efi",
                try loader(isARM ? LoaderName.shimDiskGRUBARM64 : LoaderName.shimDiskGRUBX64)
            ),
            // The prefixes of the signed GRUBs of Debian and of Ubuntu.
            ("EFI/debian/grub.cfg", .bytes(Array(configuration.utf8))),
            ("EFI/ubuntu/grub.cfg", .bytes(Array(configuration.utf8))),
            (boot.kernel, try file(try catalog.path(of: .kernel, in: version.id))),
        ]
        for path in boot.initramfs {
            if path == BootPath.file(.initramfs, of: version) {
                contents.append((path, try file(try catalog.path(of: .initramfs, in: version.id))))
            } else if let bytes = overlay() {
                contents.append((path, .bytes(bytes)))
            }
        }
        let layout = try FATImage(
            files: contents.map { FATImage.File($0.0, size: $0.1.size) },
            label: "DISKLESS",
            room: Self.room
        )
        let pieces = layout.pieces.map { piece -> HTTPPieces.Piece in
            switch piece {
            case .bytes(let bytes): .bytes(bytes)
            case .zeros(let count): .zeros(count)
            case .file(let index): contents[index].1
            }
        }
        return HTTPPieces(pieces, tag: "\"\(plan.node)-\(boot.image)-\(plan.kernelArguments.hashValue)\"")
    }

    private func loader(_ name: String) throws -> HTTPPieces.Piece {
        guard let path = try loaders.path(of: name, server: nil) else { throw BootRefusal("\(name) is not installed") }
        return try file(path)
    }

    private func file(_ path: String) throws -> HTTPPieces.Piece {
        let descriptor = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(descriptor.number, &status))
        return .file(descriptor, 0..<UInt64(clamping: status.st_size))
    }
}
