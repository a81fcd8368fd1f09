internal import CLinux
internal import ImageStore

/// Makes the changes of ``DebianTree`` in a tree.
///
/// The tree is nobody's running system and its links may point anywhere; every directory on the way is therefore looked
/// up without following links out of it.
enum TreeEditing {
    static func apply(_ edits: [DebianTree.Edit], in tree: String) throws {
        for edit in edits {
            switch edit {
            case .file(let path, let text, let mode):
                try HostFile.write(text, to: try place(path, in: tree), mode: mode)
            case .link(let path, let target):
                let place = try place(path, in: tree)
                unsafe unlink(place)
                guard unsafe symlink(target, place) == 0 else {
                    throw BuildError.system(action: "make the link", path: place, code: clinux_errno())
                }
            case .directory(let path, let mode):
                let place = try place(path, in: tree)
                guard unsafe mkdir(place, mode) == 0 || clinux_errno() == EEXIST else {
                    throw BuildError.system(action: "make directory", path: place, code: clinux_errno())
                }
            case .remove(let path):
                for found in try matches(path, in: tree) { try TreeRemoval.remove(found) }
            case .empty(let path):
                for found in try matches(path + "/*", in: tree) { try TreeRemoval.remove(found) }
            }
        }
    }

    /// The place of a path, whose directory must be a real one.
    private static func place(_ path: String, in tree: String) throws -> String {
        try checkDirectory(of: path, in: tree)
        return tree + path
    }

    /// The places that a path with or without a star at its end names; none when its directory is missing.
    private static func matches(_ path: String, in tree: String) throws -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let directory = tree + path[..<slash]
        let name = path[path.index(after: slash)...]
        guard (try? checkDirectory(of: path, in: tree)) != nil else { return [] }
        guard let star = name.firstIndex(of: "*") else { return [directory + "/" + name] }
        let start = name[..<star]
        let end = name[name.index(after: star)...]
        let names = allNames(in: directory)
        return names.filter { $0.hasPrefix(start) && $0.hasSuffix(end) }.map { directory + "/" + $0 }
    }

    private static func allNames(in directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func checkDirectory(of path: String, in tree: String) throws {
        var place = tree
        for part in path.split(separator: "/").dropLast() {
            place += "/" + part
            var status = stat()
            guard unsafe lstat(place, &status) == 0 else {
                throw BuildError.system(action: "open", path: place, code: clinux_errno())
            }
            guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) else {
                throw BuildError.system(action: "go through", path: place, code: ENOTDIR)
            }
        }
    }
}
