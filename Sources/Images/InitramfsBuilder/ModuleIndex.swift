/// What `depmod` wrote about the modules of one kernel.
struct ModuleIndex {
    /// Where the image keeps them, ending in a slash.
    let folder: String
    let release: String
    /// Path below `folder` of each module, by name.
    private(set) var paths: [String: String] = [:]
    /// Names of all modules that one needs, nearest first, as `modules.dep` has them.
    private(set) var needs: [String: [String]] = [:]
    /// Modules that one would like to have, by `modules.softdep`: names or aliases.
    private(set) var wishes: [String: [String]] = [:]
    /// Pattern and module of each alias, in the file's order.
    private(set) var aliases: [(pattern: String, name: String)] = []
    /// Names of what is part of the kernel itself.
    private(set) var builtin: Set<String> = []
    /// `modules.builtin` as it is.
    private(set) var builtinLines = ""

    init(release: String, image: borrowing FileTree) throws(InitramfsError) {
        self.release = release
        var found: String?
        for candidate in ["lib/modules/\(release)/", "usr/lib/modules/\(release)/"] where found == nil {
            if try image.read(candidate + "modules.dep") != nil { found = candidate }
        }
        guard let found else { throw .noModules(release: release) }
        folder = found
        func text(_ name: String) throws(InitramfsError) -> String {
            String(decoding: try image.read(found + name) ?? [], as: UTF8.self)
        }
        builtinLines = try text("modules.builtin")
        read(dependencies: try text("modules.dep"))
        read(softDependencies: try text("modules.softdep"))
        read(aliases: try text("modules.alias"))
        for line in builtinLines.split(separator: "\n") { builtin.insert(ModuleFile.name(String(line))) }
    }

    private mutating func read(dependencies text: String) {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let path = String(line[..<colon])
            let name = ModuleFile.name(path)
            paths[name] = path
            needs[name] = line[line.index(after: colon)...].split(separator: " ").map { ModuleFile.name(String($0)) }
        }
    }

    /// Lines such as `softdep btrfs pre: crypto-crc32c post: other`.
    private mutating func read(softDependencies text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[0] == "softdep" else { continue }
            wishes[ModuleFile.normalized(words[1]), default: []] += words.dropFirst(2).filter { !$0.hasSuffix(":") }
                .map(String.init)
        }
    }

    private mutating func read(aliases text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "alias" else { continue }
            aliases.append((String(words[1]), ModuleFile.normalized(words[2])))
        }
    }

    /// The modules that `name` means: a module of that name, else all with exactly that alias.
    func modules(named name: String) -> [String] {
        let plain = ModuleFile.normalized(name)
        if paths[plain] != nil { return [plain] }
        return aliases.filter { ModuleFile.normalized($0.pattern) == plain && paths[$0.name] != nil }.map(\.name)
    }
}
