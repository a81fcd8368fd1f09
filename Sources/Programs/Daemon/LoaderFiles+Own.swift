import BootModel
import CLinux
import Foundation
import NetworkIO

/// A file of the user's cannot be the loader that it is named as.
struct LoaderFileError: Error, CustomStringConvertible {
    /// One line: which file, what is wrong with it, what to do.
    let description: String
}

extension LoaderFiles {
    /// Why the user's own file of this name cannot be that loader, in one line; nil when it can, or when there is none.
    func ownProblem(_ name: String) -> String? {
        let path = "\(own)/\(name)"
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        let problem: String
        do {
            problem = try Self.problem(of: name, at: path) ?? ""
        } catch {
            problem = "cannot be read (\(error.reason))"
        }
        guard !problem.isEmpty else { return nil }
        return "\(path) \(problem): put the right file there, or remove it"
    }

    private static func problem(of name: String, at path: String) throws(SystemCallError) -> String? {
        // A named pipe must not hold the server up.
        let file = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(file.number, &status))
        guard status.st_mode & S_IFMT == S_IFREG else { return "is no file" }
        var head = [UInt8](repeating: 0, count: LoaderFormat.headLength)
        let count = unsafe read(file.number, &head, head.count)
        guard count >= 0 else { throw SystemCallError("read \(path)", number: clinux_errno()) }
        return LoaderFormat.problem(of: name, head: Array(head[..<count]), size: Int64(status.st_size))
    }

    /// What stands in the user's folder of loaders under names that no machine is given, or cannot be what it is named as:
    /// one line each, in order.
    public func complaints() -> [String] {
        var lines = problems.values.sorted()
        // A folder that somebody filled by mistake needs no thousand lines.
        let found = (try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []
        for name in found.sorted().prefix(100) where !Self.known.keys.contains(name) && !name.hasPrefix(".") {
            // Folders of loaders: shim with its GRUB, GRUB's modules.
            if Self.known.keys.contains(where: { $0.hasPrefix("\(name)/") }) || name == "grub" { continue }
            let mend =
                NearestName.of(name, among: Self.known.keys.sorted()).map { "did you mean \($0)?" }
                ?? "'diskless loader list' has the names"
            lines.append("\(own)/\(name) is not the name of a loader: no machine is given it; \(mend)")
        }
        return lines
    }
}
