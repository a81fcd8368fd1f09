internal import CLinux
public import FileSystems

/// Why an image could not be built; prints as what is wrong and how to mend it, then a tool's last words if one failed.
public enum BuildError: Error, Hashable, Sendable {
    /// An option cannot be used; a line that says why.
    case usage(String)
    /// The build needs the rights of root.
    case notRoot
    /// A program is not installed; the Debian package that has it.
    case missingTool(name: String, package: String)
    /// A program failed: its exit status or signal, and the last lines it wrote.
    case toolFailed(name: String, phase: String, status: ToolStatus, lastLines: [String])
    /// The file system of a build is full.
    case noSpace(phase: String, room: FileSystemRoom, needed: Int64?, lastLines: [String])
    /// The tree that a recipe made lacks something.
    case badTree(String)
    /// Somebody asked to stop, by this signal.
    case interrupted(signal: Int32)
    /// A system call failed; `code` is its errno.
    case system(action: String, path: String, code: Int32)
}

/// How a program ended.
public enum ToolStatus: Hashable, Sendable {
    /// By itself, with this status.
    case exit(Int32)
    /// By this signal.
    case signal(Int32)
}

extension BuildError: CustomStringConvertible {
    /// One line, followed by a failed tool's last lines, indented.
    public var description: String {
        switch self {
        case .usage(let line), .badTree(let line): return line
        case .notRoot: return "building an image takes root: say sudo diskless image build …"
        case .missingTool(let name, let package): return "\(name) is not installed: apt install \(package)"
        case .toolFailed(let name, let phase, let status, let lines):
            let how =
                switch status {
                case .exit(let code): "failed (exit status \(code))"
                case .signal(let signal): "was killed by signal \(signal)"
                }
            return Self.text("\(phase): \(name) \(how)", lines)
        case .noSpace(let phase, let room, let needed, let lines):
            let wish = needed.map { ", the build needs about \(FileSystemRoom.text($0))" } ?? ""
            let state = room.free < 4 << 20 ? "is full" : "has too little room"
            return Self.text("\(phase): the file system at \(room.mountPoint) \(state): \(room.summary)\(wish)", lines)
        case .interrupted: return "interrupted; nothing is left behind"
        case .system(let action, let path, let code):
            return "cannot \(action)\(path.isEmpty ? "" : " \(path)"): \(unsafe String(cString: strerror(code)))"
        }
    }

    private static func text(_ head: String, _ lines: [String]) -> String {
        ([head + (lines.isEmpty ? "" : "; its last lines:")] + lines.map { "    " + $0 }).joined(separator: "\n")
    }
}
