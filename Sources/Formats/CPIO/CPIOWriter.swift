import ByteCoding

/// Writes a cpio archive in the "newc" form; the same entries give the same bytes.
public struct CPIOWriter: Sendable {
    private var writer = ByteWriter()
    private var nextInode: UInt32 = 1

    /// An empty archive.
    public init() {}

    /// Adds an entry; a directory must come before what lies in it.
    ///
    /// - Throws: `CPIOError` when the path is empty, holds a zero byte, or does not fit the format.
    public mutating func add(_ entry: CPIOEntry) throws(CPIOError) {
        guard !entry.path.isEmpty, !entry.path.utf8.contains(0), entry.path.utf8.count < CPIOError.longestPath else {
            throw .badPath(entry.path)
        }
        guard entry.data.count <= Int(UInt32.max) else { throw .tooLarge(entry.path) }
        write(entry, inode: nextInode)
        nextInode += 1
    }

    /// The archive with its end mark, padded to four bytes so that another one may follow.
    public consuming func finish() -> [UInt8] {
        var trailer = CPIOEntry(path: CPIOReader.trailer, kind: .init(rawValue: 0), permissions: 0)
        trailer.modified = 0
        write(trailer, inode: 0)
        return writer.bytes
    }

    private mutating func write(_ entry: CPIOEntry, inode: UInt32) {
        writer.writeText("070701")
        let isDirectory = entry.kind == .directory
        let fields: [UInt32] = [
            inode, entry.kind.rawValue | entry.permissions, entry.owner, entry.group, isDirectory ? 2 : 1,
            entry.modified, UInt32(entry.data.count), 0, 0, entry.deviceMajor, entry.deviceMinor,
            UInt32(entry.path.utf8.count) + 1, 0,
        ]
        for field in fields {
            let digits = String(field, radix: 16, uppercase: true)
            writer.writeText(String(repeating: "0", count: 8 - digits.utf8.count) + digits)
        }
        writer.writeText(entry.path)
        writer.writeUInt8(0)
        writer.pad(toMultipleOf: 4)
        writer.writeBytes(entry.data)
        writer.pad(toMultipleOf: 4)
    }
}
