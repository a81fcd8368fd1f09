import FileTree
import NFS4

/// The read-only directories that lead from the root of the server to its exports (RFC 8881, section 2.5).
struct PseudoTree {
    /// What is behind a name.
    enum Child {
        case directory(UInt64)
        case export(NFSListedExport)
    }

    /// One directory; its number is that of its path.
    struct Directory {
        var id: UInt64
        var parent: UInt64?
        var children: [(name: [UInt8], id: UInt64, child: Child)] = []
        /// Of the names in it.
        var change: UInt64 = 1
    }

    /// The form of its handles, where a file's have 1.
    static let form: UInt64 = 2
    private var directories: [UInt64: Directory] = [:]
    private var parents: [UInt64: (directory: UInt64, id: UInt64)] = [:]
    private var rootExport: NFSListedExport?
    private let root = PseudoTree.number([])

    init(_ exports: [NFSListedExport]) {
        directories[root] = Directory(id: root)
        for export in exports.sorted(by: { $0.path < $1.path }) {
            let names = Array(export.path.utf8).split(separator: 0x2f).map { Array($0) }
            guard let last = names.last else {
                rootExport = export
                continue
            }
            if let directory = makeDirectories(names.dropLast()) {
                let id = Self.number(names)
                add(last, id, .export(export), to: directory)
                parents[export.identity] = (directory, id)
            }
        }
    }

    /// The directory at a path, made where it is not there; nil below an export.
    private mutating func makeDirectories(_ names: ArraySlice<[UInt8]>) -> UInt64? {
        var current = root
        var path: [[UInt8]] = []
        for name in names {
            path.append(name)
            let id = Self.number(path)
            if let known = directories[current]?.children.first(where: { $0.name == name }) {
                guard case .directory(let next) = known.child else { return nil }
                current = next
                continue
            }
            directories[id] = Directory(id: id, parent: current)
            add(name, id, .directory(id), to: current)
            current = id
        }
        return current
    }

    private mutating func add(_ name: [UInt8], _ id: UInt64, _ child: Child, to directory: UInt64) {
        guard var found = directories[directory], !found.children.contains(where: { $0.name == name }) else { return }
        found.children.append((name, id, child))
        found.change = (found.change &* 31) ^ id
        directories[directory] = found
    }

    /// A number for a path that is the same after each start.
    private static func number(_ names: [[UInt8]]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for name in names {
            for byte in name + [0x2f] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return hash >> 1
    }

    /// Where the client begins.
    var top: Child { rootExport.map { .export($0) } ?? .directory(root) }

    /// The directory with this number.
    func directory(_ id: UInt64) -> Directory? { directories[id] }

    /// The path of a directory, empty for the root.
    func path(of id: UInt64) -> String {
        var names: [String] = []
        var current = directories[id]
        while let below = current, let above = below.parent.flatMap({ directories[$0] }) {
            let name = above.children.first { $0.id == below.id }?.name ?? []
            names.append(String(decoding: name, as: UTF8.self))
            current = above
        }
        return names.reversed().map { "/\($0)" }.joined()
    }

    /// What is above an export's own directory, and the number of its name there.
    func parent(ofExport identity: UInt64) -> (directory: UInt64, id: UInt64)? { parents[identity] }

    /// The handle of a directory.
    static func handle(_ id: UInt64) -> NFS4FileHandle {
        var words: [8 of UInt64] = InlineArray(repeating: 0)
        words[0] = form
        words[1] = id
        return NFS4FileHandle(words: words, count: 16)
    }

    /// What is told about a directory.
    static func attributes(_ directory: Directory) -> NFS4Attributes {
        let time = NFS4Time(seconds: 0, nanoseconds: 0)
        return NFS4Attributes(
            type: .directory,
            change: directory.change,
            size: 4096,
            used: 4096,
            fileSystem: 0,
            file: directory.id,
            mountedOn: directory.id,
            mode: 0o555,
            links: 2,
            user: 0,
            group: 0,
            major: 0,
            minor: 0,
            accessed: time,
            modified: time,
            changed: time,
            handle: handle(directory.id)
        )
    }
}
