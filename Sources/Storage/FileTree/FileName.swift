import CLinux

/// One name in a directory: any bytes but a slash and zero, at most 255.
package struct FileName: Sendable {
    /// The bytes with a zero behind them.
    let terminated: [CChar]

    /// Throws EINVAL or ENAMETOOLONG for what cannot be a name.
    package init(_ bytes: [UInt8]) throws(TreeError) {
        guard bytes.count <= 255 else { throw TreeError(ENAMETOOLONG) }
        guard !bytes.isEmpty else { throw TreeError(EINVAL) }
        var terminated: [CChar] = []
        terminated.reserveCapacity(bytes.count + 1)
        for byte in bytes {
            guard byte != 0, byte != 0x2f else { throw TreeError(EINVAL) }
            terminated.append(CChar(bitPattern: byte))
        }
        terminated.append(0)
        self.terminated = terminated
    }

    /// Whether it is ".".
    var isDot: Bool { terminated.count == 2 && terminated[0] == 0x2e }
    /// Whether it is "..".
    var isDotDot: Bool { terminated.count == 3 && terminated[0] == 0x2e && terminated[1] == 0x2e }
    /// Whether it can be made or removed.
    var isOrdinary: Bool { !isDot && !isDotDot }
}
