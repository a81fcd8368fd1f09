/// What a client keeps to name a file: the kernel's own handle, which export it belongs to, and our seal over both.
///
/// Up to 64 bytes: form, kernel's type and length (8), export (8), seal (8), kernel's bytes (up to 40). Nothing in it
/// changes with a rename, a restart of the server or a new mount; see docs/decisions/0005-file-handles.md.
package struct FileHandle: Sendable {
    /// Bytes before the kernel's own.
    static let headSize = 24
    /// The longest handle of a kernel's file system that fits, in bytes.
    package static let kernelLimit = 40
    /// The longest handle, in bytes.
    package static let limit = headSize + kernelLimit
    private static let form: UInt64 = 1

    /// The bytes as they lie in memory, zeros behind the last.
    package var words: [8 of UInt64]

    /// Words that may be a handle; `count` is how many bytes the client sent.
    package init?(words: [8 of UInt64], count: Int) {
        self.words = words
        guard words[0] & 0xff == Self.form, kernelCount <= Self.kernelLimit, count == self.count else { return nil }
    }

    /// The sealed handle of a file.
    init(export: UInt64, kernel: KernelHandle, key: HandleKey) {
        words = InlineArray(repeating: 0)
        words[0] = Self.form | UInt64(kernel.count) << 8 | UInt64(kernel.type) << 16
        words[1] = export
        for index in 0..<5 { words[3 + index] = kernel.words[index] }
        words[2] = key.seal(of: words)
    }

    /// How many bytes it has.
    package var count: Int { Self.headSize + (kernelCount + 3) & ~3 }
    private var kernelCount: Int { Int(words[0] >> 8 & 0xff) }
    /// Which export it belongs to.
    package var export: UInt64 { words[1] }
    /// Our seal; as good as random, so it also finds the handle in tables.
    package var seal: UInt64 { words[2] }

    /// Whether we made it, with this key.
    func isSealed(by key: HandleKey) -> Bool { key.seal(of: words) == seal }

    /// The part that the kernel understands.
    var kernel: KernelHandle {
        var kernel = KernelHandle()
        kernel.count = kernelCount
        kernel.type = UInt16(truncatingIfNeeded: words[0] >> 16)
        for index in 0..<5 { kernel.words[index] = words[3 + index] }
        return kernel
    }
}

extension FileHandle: Equatable {
    /// Whether both name the same file of the same export.
    package static func == (left: Self, right: Self) -> Bool {
        for index in 0..<8 where left.words[index] != right.words[index] { return false }
        return true
    }
}

/// A handle of name_to_handle_at(2).
struct KernelHandle {
    var words: [5 of UInt64] = InlineArray(repeating: 0)
    var count = 0
    var type: UInt16 = 0
}
