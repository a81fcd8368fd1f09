import CLinux
import Foundation
public import Mustache

/// A directory of plain files and templates: what it has is laid over a node's root under the same paths.
///
/// Modes, owners and links are kept. `NAME.mustache` is a template for `NAME`; what `{{> PART}}` includes lies in
/// `.partials/PART.mustache`. A file that others may not read is secret.
public struct FileSet: Sendable {
    /// The set's name.
    public let name: String
    /// The directory.
    public let path: String

    /// The largest file that a set may hold, in bytes.
    static let fileLimit = 32 << 20
    private static let templateEnding = ".mustache"
    private static let left = [".partials", ".git"]

    /// The set in a directory.
    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// The set's files with their templates filled in.
    ///
    /// Throws `OverlayProblem` that names the file, for templates also line and variable.
    public func files(_ context: MustacheValue) throws(OverlayProblem) -> [OverlayFile] {
        var files: [OverlayFile] = []
        try walk("", context, &files)
        return files
    }

    /// The set's files as they lie there, templates under their own names.
    ///
    /// Throws `OverlayProblem` that names the file.
    public func sources() throws(OverlayProblem) -> [OverlayFile] {
        var files: [OverlayFile] = []
        try walk("", nil, &files)
        return files
    }

    private func walk(_ folder: String, _ context: MustacheValue?, _ files: inout [OverlayFile]) throws(OverlayProblem)
    {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? path : "\(path)/\(folder)")
        } catch {
            throw OverlayProblem("\(path)/\(folder): cannot be read")
        }
        for name in names.sorted() where !(folder.isEmpty && Self.left.contains(name)) {
            let inner = folder.isEmpty ? name : "\(folder)/\(name)"
            guard files.count < OverlayTree.fileLimit else {
                throw OverlayProblem("\(path): more than \(OverlayTree.fileLimit) files")
            }
            if let problem = OverlayFile.problem(withPath: inner) {
                throw OverlayProblem("\(path): \"\(inner)\" \(problem)")
            }
            try take(inner, context, &files)
        }
    }

    private func take(_ inner: String, _ context: MustacheValue?, _ files: inout [OverlayFile]) throws(OverlayProblem) {
        let full = "\(path)/\(inner)"
        var status = stat()
        guard unsafe lstat(full, &status) == 0 else { throw OverlayProblem("\(full): cannot be read") }
        var file = OverlayFile(
            path: inner,
            kind: .directory,
            permissions: status.st_mode & 0o7777,
            owner: status.st_uid,
            group: status.st_gid,
            source: "set \(name)"
        )
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            files.append(file)
            return try walk(inner, context, &files)
        case S_IFLNK:
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: full) else {
                throw OverlayProblem("\(full): the link cannot be read")
            }
            file.kind = .link(to: target)
        case S_IFREG:
            let content = try Self.read(full)
            file.isSecret = status.st_mode & 0o007 == 0
            if inner.hasSuffix(Self.templateEnding), let context {
                file.path = String(inner.dropLast(Self.templateEnding.count))
                guard !file.path.isEmpty, !file.path.hasSuffix("/") else {
                    throw OverlayProblem("\(full): a template needs a name before .mustache")
                }
                file.kind = .file(try render(content, full, context))
            } else {
                file.kind = .file(content)
            }
        default:
            throw OverlayProblem("\(full): neither a file, a directory nor a link; sets hold nothing else")
        }
        files.append(file)
    }

    private func render(_ source: [UInt8], _ file: String, _ context: MustacheValue) throws(OverlayProblem) -> [UInt8] {
        do throws(MustacheProblem) {
            let template = try MustacheTemplate(source, file: file)
            return try template.render(context) { name throws(MustacheProblem) in
                let path = "\(path)/.partials/\(name)\(Self.templateEnding)"
                guard unsafe access(path, F_OK) == 0 else { return nil }
                do {
                    return try MustacheTemplate(try Self.read(path), file: path)
                } catch let problem as MustacheProblem {
                    throw problem
                } catch {
                    throw MustacheProblem(file: path, line: 1, name: name, reason: "cannot be read")
                }
            }
        } catch {
            throw OverlayProblem(error.description)
        }
    }

    /// A file's content.
    private static func read(_ path: String) throws(OverlayProblem) -> [UInt8] {
        // Neither a link nor a pipe that was put there since must lead elsewhere or hold us up.
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        guard descriptor >= 0 else {
            throw OverlayProblem("\(path): \(unsafe String(cString: strerror(clinux_errno())))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw OverlayProblem("\(path): is no regular file")
        }
        guard status.st_size <= fileLimit else {
            throw OverlayProblem("\(path): is larger than \(fileLimit >> 20) MiB: put it into the image")
        }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while content.count <= fileLimit {
            let count = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe CLinux.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count >= 0 else { throw OverlayProblem("\(path): cannot be read") }
            if count == 0 { break }
            content += block[..<count]
        }
        return content
    }
}
