import BootModel
import CLinux
import ImageStore

/// A state directory of one test, removed with it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/diskless-images-XXXXXX".utf8CString)
        path = try unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = unsafe mkdtemp(base) else {
                throw Failure(code: clinux_errno())
            }
            return unsafe String(cString: made)
        }
    }

    deinit {
        try? TreeRemoval.remove(path)
    }

    struct Failure: Error {
        let code: Int32
    }

    func exists(_ name: String) -> Bool { unsafe access(path + "/" + name, F_OK) == 0 }

    func read(_ name: String) throws -> String {
        guard let file = unsafe fopen(path + "/" + name, "r") else { throw Failure(code: clinux_errno()) }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        let file = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure(code: clinux_errno()) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe bytes.withUnsafeBytes({ unsafe CLinux.write(file, $0.baseAddress, $0.count) }) == bytes.count
        else {
            throw Failure(code: clinux_errno())
        }
    }

    /// Publishes a version of three small files.
    @discardableResult
    func publish(_ name: ImageName, in store: ImageStore, root: String = "root") throws -> ImageManifest {
        let draft = try store.draft(name)
        try Self.write("kernel", to: draft.files + "/kernel")
        try Self.write("initramfs", to: draft.files + "/initramfs")
        try Self.write(root, to: draft.files + "/root.squashfs")
        try Self.write("bash 5.2\n", to: draft.files + "/packages.txt")
        return try draft.publish(Self.description)
    }

    static var description: ImageDraft.Description {
        ImageDraft.Description(
            architecture: "amd64",
            kernelRelease: "6.1.0-1-amd64",
            rootFormat: .squashfs,
            kernelArguments: ["quiet"],
            roles: [.kernel: "kernel", .initramfs: "initramfs", .root: "root.squashfs"],
            extraFiles: ["packages.txt"],
            provenance: ImageProvenance(
                recipe: "debian",
                suite: "bookworm",
                packageCount: 1,
                tools: ["mmdebstrap": "1.3.5"],
                command: ["diskless", "image", "build", "debian"]
            )
        )
    }
}
