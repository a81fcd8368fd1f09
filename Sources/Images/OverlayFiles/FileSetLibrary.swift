import BootModel
import Foundation
import Mustache

/// Where sets of overlay files are looked for, and what a node gets of them.
public struct FileSetLibrary: Sendable {
    /// The directories of sets, the first wins: the state directory's, then `/etc/diskless/files`.
    public var directories: [String]
    /// Parts of the program with files of their own.
    public var contributors: [any OverlayContributor]

    /// The directory beside the state directory's own.
    public static let systemDirectory = "/etc/diskless/files"

    /// A library.
    public init(directories: [String], contributors: [any OverlayContributor] = []) {
        self.directories = directories
        self.contributors = contributors
    }

    /// Where a set comes from.
    public enum Place: Sendable {
        /// A directory.
        case directory(FileSet)
        /// The program itself.
        case builtIn(BuiltInSet)
    }

    /// The set of a name: a directory, else one that the program brings; nil when there is none.
    public func set(_ name: String) -> Place? {
        for directory in directories {
            let path = "\(directory)/\(name)"
            var isDirectory: ObjCBool = false
            if Self.isName(name), unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
                isDirectory.boolValue
            {
                return .directory(FileSet(name: name, path: path))
            }
        }
        return BuiltInSet.all[name].map { .builtIn($0) }
    }

    /// The names of all sets, sorted.
    public var names: [String] {
        var names = Set(BuiltInSet.all.keys)
        for directory in directories {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            where Self.isName(name) && set(name) != nil {
                names.insert(name)
            }
        }
        return names.sorted()
    }

    private static func isName(_ name: String) -> Bool { !name.hasPrefix(".") && !name.contains("/") && !name.isEmpty }

    /// Everything that is laid over the root of a node at one boot: its sets in order, then the contributors' files.
    ///
    /// `base` comes first, whether it is named or not: without it a node would lose its network or its name.
    ///
    /// Throws `OverlayProblem`, or what a contributor throws: one line that names file, line and variable.
    public func tree(for boot: OverlayBoot, sets: [String]) throws -> OverlayTree {
        let context = OverlayContext.value(of: boot)
        var tree = OverlayTree()
        try tree.lay([NodeLibrary.file])
        for name in sets.contains("base") ? sets : ["base"] + sets { try lay(name, boot, context, into: &tree) }
        for contributor in contributors {
            var files = try contributor.files(for: boot)
            for index in files.indices where files[index].source.isEmpty { files[index].source = contributor.name }
            try tree.lay(files)
        }
        return tree
    }

    private func lay(_ name: String, _ boot: OverlayBoot, _ context: MustacheValue, into tree: inout OverlayTree)
        throws(OverlayProblem)
    {
        switch set(name) {
        case .directory(let set): try tree.lay(try set.files(context))
        case .builtIn(let set):
            try tree.lay(try set.files(boot, context))
            // No set is part of a part, so this ends.
            for part in set.parts { try lay(part, boot, context, into: &tree) }
        case nil:
            throw OverlayProblem(
                "there is no set of files \"\(name)\": make the directory \(directories.first ?? "")/\(name), or take it out"
                    + " of the setting files"
            )
        }
    }
}
