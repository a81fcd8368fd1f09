import BootModel
import CLinux
import Digests
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

    /// A file in the image.
    private struct Part {
        var path: String
        var content: HTTPPieces.Piece
        /// What changes when the content does.
        var identity: String

        init(_ path: String, _ content: HTTPPieces.Piece, identity: String) {
            (self.path, self.content, self.identity) = (path, content, identity)
        }

        init(_ path: String, _ bytes: [UInt8]) throws {
            self.init(path, .bytes(bytes), identity: try SHA256Digest.of(bytes.span).hex)
        }
    }

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
        var contents: [Part] = [
            try loader(
                "EFI/BOOT/\(isARM ? "BOOTAA64" : "BOOTX64").EFI",
                isARM ? LoaderName.shimARM64 : LoaderName.shimX64
            ),
            try loader(
                "EFI/BOOT/\(isARM ? "grubaa64" : "grubx64").efi",
                isARM ? LoaderName.shimDiskGRUBARM64 : LoaderName.shimDiskGRUBX64
            ),
            // The prefixes of the signed GRUBs of Debian and of Ubuntu.
            try Part("EFI/debian/grub.cfg", Array(configuration.utf8)),
            try Part("EFI/ubuntu/grub.cfg", Array(configuration.utf8)),
            try image(boot.kernel, .kernel, of: version),
        ]
        for path in boot.initramfs {
            if path == BootPath.file(.initramfs, of: version) {
                contents.append(try image(path, .initramfs, of: version))
            } else if let bytes = overlay() {
                contents.append(try Part(path, bytes))
            }
        }
        let layout = try FATImage(
            files: contents.map { FATImage.File($0.path, size: $0.content.size) },
            label: "DISKLESS",
            room: Self.room
        )
        let pieces = layout.pieces.map { piece -> HTTPPieces.Piece in
            switch piece {
            case .bytes(let bytes): .bytes(bytes)
            case .zeros(let count): .zeros(count)
            case .file(let index): contents[index].content
            }
        }
        // Where the parts lie follows from their paths and sizes.
        let identity = contents.map { "\($0.path)\t\($0.content.size)\t\($0.identity)\n" }.joined()
        return HTTPPieces(pieces, tag: "\"\(try SHA256Digest.of(Array(identity.utf8).span).hex)\"")
    }

    private func loader(_ path: String, _ name: String) throws -> Part {
        guard let found = try loaders.path(of: name, server: nil) else { throw BootRefusal("\(name) is not installed") }
        let (piece, status) = try file(found)
        let changed = status.st_mtim
        return Part(path, piece, identity: "\(status.st_dev)-\(status.st_ino)-\(changed.tv_sec).\(changed.tv_nsec)")
    }

    private func image(_ path: String, _ role: ImageFileRole, of version: ImageVersion) throws -> Part {
        let (piece, status) = try file(try catalog.path(of: role, in: version.id))
        return Part(path, piece, identity: version.files[role]?.sha256 ?? "\(status.st_ino)")
    }

    private func file(_ path: String) throws -> (HTTPPieces.Piece, stat) {
        let descriptor = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(descriptor.number, &status))
        return (.file(descriptor, 0..<UInt64(clamping: status.st_size)), status)
    }
}
