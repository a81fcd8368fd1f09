import CPIO

/// The files of one node, the later laid over the earlier: what its root gets on top.
public struct OverlayTree: Sendable {
    /// The folder of the initramfs in which they arrive.
    public static let folder = "diskless/overlay"
    /// The most files that a node takes.
    public static let fileLimit = 20_000
    /// The most bytes of all contents: they travel through the node's memory.
    public static let byteLimit = 64 << 20

    private var byPath: [String: OverlayFile] = [:]
    private var bytes = 0

    /// No files.
    public init() {}

    /// The files in the order of their paths, a directory before what lies in it.
    public var files: [OverlayFile] {
        byPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// The file at a path.
    public subscript(path: String) -> OverlayFile? { byPath[path] }

    /// Lays files over those that are there.
    ///
    /// A file takes the place of whatever had its path; where a file and a directory meet, the later one wins whole.
    /// Throws `OverlayProblem` for a path that cannot be laid or more than the limits.
    public mutating func lay(_ files: [OverlayFile]) throws(OverlayProblem) {
        for file in files {
            if let problem = OverlayFile.problem(withPath: file.path) {
                throw OverlayProblem("\(file.source): \"\(file.path)\" \(problem)")
            }
            remove(under: file)
            bytes += file.size
            byPath[file.path] = file
        }
        guard byPath.count <= Self.fileLimit else {
            throw OverlayProblem("more than \(Self.fileLimit) overlay files: put what all nodes share into the image")
        }
        guard bytes <= Self.byteLimit else {
            throw OverlayProblem(
                "the overlay files have \(bytes >> 20) MiB, more than \(Self.byteLimit >> 20): put what is large into the image"
            )
        }
    }

    /// Removes what cannot be beside `file`: the old file of its path, a file where it needs a directory, and all that
    /// lay in a directory that is none any more.
    private mutating func remove(under file: OverlayFile) {
        drop(file.path)
        let parts = file.path.split(separator: "/")
        for count in 1..<max(parts.count, 1) {
            let parent = parts.prefix(count).joined(separator: "/")
            if let old = byPath[parent], old.kind != .directory { drop(parent) }
        }
        if file.kind != .directory {
            for path in byPath.keys where path.hasPrefix(file.path + "/") { drop(path) }
        }
    }

    private mutating func drop(_ path: String) {
        if let old = byPath.removeValue(forKey: path) { bytes -= old.size }
    }

    /// The files as a cpio archive that a kernel unpacks beside its initramfs.
    ///
    /// - Parameter withSecrets: false leaves out every file that is secret.
    /// - Throws: `OverlayProblem`.
    public func archive(withSecrets: Bool) throws(OverlayProblem) -> [UInt8] {
        var writer = CPIOWriter()
        do {
            for entry in entries(withSecrets: withSecrets) { try writer.add(entry) }
        } catch {
            throw OverlayProblem("the overlay files cannot be packed: \(error)")
        }
        return writer.finish()
    }

    private func entries(withSecrets: Bool) -> [CPIOEntry] {
        var entries: [String: CPIOEntry] = [:]
        for file in files where withSecrets || !file.isSecret {
            let entry = file.entry(in: Self.folder)
            let parts = entry.path.split(separator: "/")
            for count in 1..<max(parts.count, 1) {
                let parent = parts.prefix(count).joined(separator: "/")
                if entries[parent] == nil { entries[parent] = .directory(parent) }
            }
            entries[entry.path] = entry
        }
        // The node sees by the folder that its files came, were there none.
        for folder in ["diskless", Self.folder] where entries[folder] == nil { entries[folder] = .directory(folder) }
        return entries.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
}

/// Why a node's files cannot be made: one line, with file and line where there is one.
public struct OverlayProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public var description: String

    /// A problem of one line.
    public init(_ description: String) { self.description = description }
}
