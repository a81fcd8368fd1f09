/// A FAT16 file system laid out around files that lie elsewhere, so that it can be sent without being stored.
///
/// Written once and only read: every file and directory is one run of clusters. FAT16 takes any size up to 2 GiB and
/// wastes nothing on small ones; UEFI firmware must read it (UEFI 2.10 section 13.3). Microsoft's "FAT: General Overview
/// of On-Disk Format" 1.03 names the fields.
public struct FATImage: Sendable, Equatable {
    /// A file that the image holds.
    public struct File: Sendable, Hashable {
        /// Its path from the root, parts separated by `/`, as people write it.
        public var path: String
        /// Its size in bytes.
        public var size: UInt64

        /// A file from its parts.
        public init(_ path: String, size: UInt64) {
            self.path = path
            self.size = size
        }
    }

    /// A run of the image's bytes.
    public enum Piece: Sendable, Equatable {
        /// These bytes.
        case bytes([UInt8])
        /// All bytes of the file with this index.
        case file(Int)
        /// So many zero bytes.
        case zeros(UInt64)
    }

    /// The image in order.
    public let pieces: [Piece]
    /// How many bytes the image has.
    public let size: UInt64

    /// Lays out an image.
    ///
    /// - Parameters:
    ///   - files: what it holds; directories are made as their paths need them.
    ///   - label: the volume's name, at most 11 characters of ASCII.
    ///   - volumeID: the volume's serial number.
    ///   - room: bytes left free at the end, so that images of nearly the same content have one size.
    public init(files: [File], label: String, volumeID: UInt32 = 0, room: UInt64 = 0) throws(FATError) {
        var tree = FATDirectory()
        for (index, file) in files.enumerated() {
            guard file.size < 1 << 31 else { throw .fileTooLarge(file.path) }
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.allSatisfy(FATName.isValid) else { throw .badName(file.path) }
            try tree.insert(parts[...], index: index, path: file.path)
        }
        let content = files.reduce(0) { $0 + $1.size } + room
        guard let geometry = FATGeometry(content: content, files: files, tree: tree) else { throw .tooLarge(content) }

        var layout = FATLayout(geometry: geometry, files: files)
        let root = layout.place(tree, label: label)
        guard root.count <= FATGeometry.rootEntries * 32 else { throw .rootFull }
        var head = geometry.bootSector(label: label, volumeID: volumeID)
        let table = layout.table
        head += table + table
        head += root + [UInt8](repeating: 0, count: FATGeometry.rootEntries * 32 - root.count)

        var pieces: [Piece] = [.bytes(head + layout.directories)]
        for (index, file) in files.enumerated() where file.size > 0 {
            pieces.append(.file(index))
            let gap = geometry.clusters(file.size) * UInt64(geometry.clusterSize) - file.size
            if gap > 0 { pieces.append(.zeros(gap)) }
        }
        let used = UInt64(layout.next - 2) * UInt64(geometry.clusterSize)
        let rest = geometry.dataSize - used
        if rest > 0 { pieces.append(.zeros(rest)) }
        self.pieces = pieces
        size = UInt64(head.count) + geometry.dataSize
    }
}

/// Why no image can be laid out.
public enum FATError: Error, Equatable, Sendable, CustomStringConvertible {
    /// FAT files are shorter than 2 GiB here.
    case fileTooLarge(String)
    /// All files together are too much for one FAT16 file system.
    case tooLarge(UInt64)
    /// A name that FAT does not take.
    case badName(String)
    /// Two files of one name, or a file where another needs a directory; FAT does not tell case.
    case twice(String)
    /// The top directory takes 512 entries.
    case rootFull

    /// One line.
    public var description: String {
        switch self {
        case .fileTooLarge(let path): "\(path) is too large for a boot image: 2 GiB is the most"
        case .tooLarge(let bytes): "\(bytes >> 20) MiB are too much for a boot image: 2 GiB is the most"
        case .badName(let path): "\"\(path)\" is no name for a file in a boot image"
        case .twice(let path): "\"\(path)\" is in the boot image twice"
        case .rootFull: "the boot image has too many files at its top"
        }
    }
}
