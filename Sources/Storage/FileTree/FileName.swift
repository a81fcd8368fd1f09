import CLinux

/// One name in a directory: any bytes but a slash and zero, at most 255.
package struct FileName: Sendable {
    /// The bytes with a zero behind them.
    let terminated: [CChar]

    /// Throws EINVAL or ENAMETOOLONG for what cannot be a name.
    package init(_ bytes: [UInt8]) throws(TreeError) { try unsafe self.init(bytes.span.bytes) }

    /// As the one that takes an array.
    package init(_ bytes: RawSpan) throws(TreeError) {
        let count = bytes.byteCount
        guard count <= 255 else { throw TreeError(ENAMETOOLONG) }
        guard count > 0 else { throw TreeError(EINVAL) }
        let name = unsafe bytes.withUnsafeBytes { bytes -> [CChar]? in
            guard let start = bytes.baseAddress, unsafe memchr(start, 0, count) == nil,
                unsafe memchr(start, 0x2f, count) == nil
            else { return nil }
            return unsafe [CChar](unsafeUninitializedCapacity: count + 1) { room, filled in
                guard let target = room.baseAddress else { return }
                unsafe UnsafeMutableRawPointer(target).copyMemory(from: start, byteCount: count)
                unsafe target[count] = 0
                filled = count + 1
            }
        }
        guard let name else { throw TreeError(EINVAL) }
        terminated = name
    }

    /// Whether it is ".".
    var isDot: Bool { terminated.count == 2 && terminated[0] == 0x2e }
    /// Whether it is "..".
    var isDotDot: Bool { terminated.count == 3 && terminated[0] == 0x2e && terminated[1] == 0x2e }
    /// Whether it can be made or removed.
    var isOrdinary: Bool { !isDot && !isDotDot }
}
