import BootModel
import CLinux
import ImageStore
import Testing

/// An image whose files are patterned bytes: enough for everything but booting.
enum MadeUpImage {
    /// Publishes the next version.
    ///
    /// With `firmware`, the path of a cpio archive, it is one for Raspberry Pis. `root` is a root file to take instead of
    /// a made-up one.
    static func publish(
        _ name: String,
        state: String,
        rootSize: Int,
        rootFormat: RootFormat = .squashfs,
        root: String? = nil,
        firmware: String? = nil
    ) throws {
        let draft = try ImageStore(state: state).draft(try ImageName(validating: name))
        try write("kernel of \(name)", draft.files + "/kernel")
        try write("initramfs of \(name)", draft.files + "/initramfs")
        if let root {
            try #require(unsafe rename(root, draft.files + "/root.squashfs") == 0)
        } else {
            try write(String(repeating: "0123456789abcdef", count: rootSize / 16), draft.files + "/root.squashfs")
        }
        try write("bash 5.2\n", draft.files + "/packages.txt")
        var roles: [ImageFileRole: String] = [.kernel: "kernel", .initramfs: "initramfs", .root: "root.squashfs"]
        if let firmware {
            try #require(unsafe rename(firmware, draft.files + "/firmware.cpio") == 0)
            roles[.firmware] = "firmware.cpio"
        }
        _ = try draft.publish(
            ImageDraft.Description(
                architecture: firmware == nil ? "amd64" : "arm64",
                kernelRelease: "6.1.0-1-amd64",
                rootFormat: rootFormat,
                kernelArguments: [],
                roles: roles,
                extraFiles: ["packages.txt"],
                provenance: ImageProvenance(
                    recipe: "debian",
                    suite: "bookworm",
                    packageCount: 1,
                    tools: [:],
                    command: []
                )
            )
        )
    }

    /// Writes a text file.
    static func write(_ text: String, _ path: String) throws {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(descriptor >= 0, "\(path)")
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}
