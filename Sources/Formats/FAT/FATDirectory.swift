/// A directory while the image is laid out.
struct FATDirectory {
    enum Node {
        case file(Int)
        case directory(FATDirectory)
    }

    /// In the order they were named.
    private(set) var entries: [(name: String, node: Node)] = []

    mutating func insert(_ parts: ArraySlice<String>, index: Int, path: String) throws(FATError) {
        guard let name = parts.first else { throw .badName(path) }
        let place = entries.firstIndex { $0.name.lowercased() == name.lowercased() }
        if parts.count == 1 {
            guard place == nil else { throw .twice(path) }
            entries.append((name, .file(index)))
            return
        }
        var directory = FATDirectory()
        if let place {
            guard case .directory(let known) = entries[place].node else { throw .twice(path) }
            directory = known
        }
        try directory.insert(parts.dropFirst(), index: index, path: path)
        if let place {
            entries[place].node = .directory(directory)
        } else {
            entries.append((name, .directory(directory)))
        }
    }

    /// How many 32-byte entries its own list takes, without `.` and `..`.
    private var listLength: Int { entries.reduce(0) { $0 + FATName.entryCount($1.name) } }

    /// How many clusters of this many bytes the directories below take.
    func directoryClusters(_ clusterSize: Int) -> UInt64 {
        entries.reduce(0) { sum, entry in
            guard case .directory(let directory) = entry.node else { return sum }
            let bytes = (directory.listLength + 2) * 32
            return sum + UInt64((bytes + clusterSize - 1) / clusterSize) + directory.directoryClusters(clusterSize)
        }
    }

    /// How many clusters its own list takes.
    func ownClusters(_ clusterSize: Int) -> Int { ((listLength + 2) * 32 + clusterSize - 1) / clusterSize }
}

/// Where everything lies: directories first, then the files in their order.
struct FATLayout {
    let geometry: FATGeometry
    private let files: [FATImage.File]
    /// The clusters of the directories.
    private(set) var directories: [UInt8] = []
    /// The next free cluster.
    private(set) var next = 2
    /// The runs of clusters that are taken: first cluster and how many.
    private var runs: [(Int, Int)] = []

    init(geometry: FATGeometry, files: [FATImage.File]) {
        self.geometry = geometry
        self.files = files
    }

    /// Places a tree whose top is the root directory; gives the root's list.
    mutating func place(_ tree: FATDirectory, label: String) -> [UInt8] {
        let directoryCount = Int(tree.directoryClusters(geometry.clusterSize))
        directories = [UInt8](repeating: 0, count: directoryCount * geometry.clusterSize)
        var fileStarts: [Int] = []
        var cluster = 2 + directoryCount
        for file in files {
            let count = Int(geometry.clusters(file.size))
            fileStarts.append(count == 0 ? 0 : cluster)
            if count > 0 { runs.append((cluster, count)) }
            cluster += count
        }
        let name = Self.entry(FATName.padded(label.uppercased(), 11), 0x08, 0, 0)
        let list = name + self.list(tree, fileStarts, own: 0, isRoot: true)
        next = cluster
        return list
    }

    private mutating func list(
        _ tree: FATDirectory,
        _ fileStarts: [Int],
        own: Int,
        parent: Int = 0,
        isRoot: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        if !isRoot {
            bytes += Self.entry(Array(".          ".utf8), 0x10, own, 0)
            bytes += Self.entry(Array("..         ".utf8), 0x10, parent, 0)
        }
        var taken: Set<[UInt8]> = []
        for (name, node) in tree.entries {
            let short = FATName.short(name, taken: &taken)
            bytes += FATName.longEntries(name, short: short)
            switch node {
            case .file(let index):
                bytes += Self.entry(short, 0x20, fileStarts[index], UInt32(files[index].size))
            case .directory(let directory):
                let cluster = next
                let count = directory.ownClusters(geometry.clusterSize)
                next += count
                runs.append((cluster, count))
                bytes += Self.entry(short, 0x10, cluster, 0)
                let list = list(directory, fileStarts, own: cluster, parent: own)
                let at = (cluster - 2) * geometry.clusterSize
                directories.replaceSubrange(at..<at + list.count, with: list)
            }
        }
        return bytes
    }

    /// One entry; its times are the first that FAT knows, so that equal content makes equal images.
    private static func entry(_ short: [UInt8], _ attributes: UInt8, _ cluster: Int, _ size: UInt32) -> [UInt8] {
        short + [attributes, 0, 0] + little(UInt16(0)) + little(UInt16(0x21)) + little(UInt16(0x21)) + little(UInt16(0))
            + little(UInt16(0)) + little(UInt16(0x21)) + little(UInt16(cluster)) + little(size)
    }

    /// The file allocation table.
    var table: [UInt8] {
        var links = [UInt16](repeating: 0, count: geometry.tableSectors * FATGeometry.sector / 2)
        links[0] = 0xfff8
        links[1] = 0xffff
        for (first, count) in runs {
            for cluster in first..<first + count - 1 { links[cluster] = UInt16(cluster + 1) }
            links[first + count - 1] = 0xffff
        }
        return links.flatMap(little)
    }
}
