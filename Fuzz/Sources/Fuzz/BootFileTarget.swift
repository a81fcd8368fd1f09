import BootModel
import NetworkTypes
import TFTP

/// A name that a loader asks for, as the TFTP server gets it: whatever it asks for can be named again in the usual form.
func fuzzBootFile(_ bytes: Span<UInt8>) {
    guard let name = try? TFTPFileName(String(decoding: array(bytes), as: UTF8.self)) else { return }
    guard let request = BootFileRequest(name.components) else { return }
    let usual: String
    switch request {
    case .configuration(let program, .itself): usual = program == .grub ? "grub/grub.cfg" : "pxelinux.cfg/default"
    case .configuration(let program, .mac(let mac)):
        usual = (program == .grub ? "grub/grub.cfg-01-" : "pxelinux.cfg/01-") + mac.dashed
    case .configuration(let program, .uuid(let uuid)):
        usual = (program == .grub ? "grub/grub.cfg-" : "pxelinux.cfg/") + uuid.description
    case .configuration(let program, .address(let address)):
        let digits = String(address.value, radix: 16, uppercase: true)
        let hex = String(repeating: "0", count: 8 - digits.count) + digits
        usual = (program == .grub ? "grub/grub.cfg-" : "pxelinux.cfg/") + hex
    case .image(let id, let file): usual = "images/\(id.name)/\(id.number)/\(file)"
    case .overlay(let mac, let boot): usual = "boot/\(mac.dashed)/\(boot)/overlay.cpio"
    case .joinedInitramfs(let mac, let boot, let image): usual = "boot/\(mac.dashed)/\(boot)/initramfs-\(image)"
    case .file(let file):
        precondition(!file.isEmpty && !file.hasPrefix("/"), "a file without a name, or outside")
        precondition(!file.split(separator: "/").contains(".."), "a file outside")
        return
    }
    precondition(BootFileRequest(usual.split(separator: "/").map(String.init)) == request, "another name of the same")
}

/// The beginning of a loader file, whose name the first byte chooses.
func fuzzLoaderFormat(_ bytes: Span<UInt8>) {
    let names = ["snponly.efi", "shim/shimaa64.efi", "undionly.kpxe", "pxelinux.0", "menu.c32"]
    let head = array(bytes)
    let name = names[Int(head.first ?? 0) % names.count]
    let problem = LoaderFormat.problem(of: name, head: Array(head.dropFirst()), size: Int64(max(head.count - 1, 0)))
    precondition(problem?.contains("\n") != true, "more than one line")
}
