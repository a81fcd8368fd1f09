public import BootModel
internal import CLinux
internal import Digests
public import FileSystems

/// What can go wrong with stored images; each case prints as one line that says what, where and how to mend it.
public enum ImageStoreError: Error, Hashable, Sendable {
    /// No version of that image is stored.
    case unknownImage(ImageName, known: [ImageName])
    /// The image exists, this version of it does not.
    case unknownVersion(ImageVersionID, known: [Int])
    /// The image has no such tag.
    case unknownTag(ImageName, String)
    /// Somebody else is building this image; the process that holds the lock, where known.
    case locked(ImageName, process: Int32?)
    /// A manifest was written by a later program.
    case newerSchema(path: String, schema: Int)
    /// A manifest cannot be read.
    case badManifest(path: String, reason: String)
    /// A version cannot be removed: these nodes run it.
    case inUse(ImageVersionID, nodes: [String])
    /// A file system is full.
    case noSpace(writing: String, room: FileSystemRoom)
    /// A system call failed; `code` is its clinux_errno().
    case system(action: String, path: String, code: Int32)
}

extension ImageStoreError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .unknownImage(let name, let known):
            known.isEmpty
                ? "there is no image \"\(name)\": make it with \"diskless image build \(name)\""
                : "there is no image \"\(name)\"; there are: \(known.map(\.description).joined(separator: ", "))"
        case .unknownVersion(let id, let known):
            "there is no version \(id); \(id.name) has \(known.map(String.init).joined(separator: ", "))"
        case .unknownTag(let name, let tag): "image \"\(name)\" has no tag \"\(tag)\""
        case .locked(let name, let process):
            "image \"\(name)\" is being built" + (process.map { " by process \($0)" } ?? "")
                + ": wait for it, or stop it"
        case .newerSchema(let path, let schema):
            "\(path) has schema \(schema), this program reads up to \(ImageManifest.currentSchema): "
                + "use the diskless that wrote it, or a later one"
        case .badManifest(let path, let reason): "\(path) is damaged: \(reason); remove this version and build it again"
        case .inUse(let id, let nodes):
            "\(id) is in use by \(nodes.joined(separator: ", ")): shut them down first, or say --force"
        case .noSpace(let path, let room):
            "the file system at \(room.mountPoint) is full while writing \(path): \(room.summary)"
        case .system(let action, let path, let code):
            "cannot \(action) \(path): \(unsafe String(cString: strerror(code)))"
        }
    }

    /// A failed digest of the file at `path`.
    init(_ error: DigestError, path: String) {
        self =
            switch error {
            case .unreadable(_, let code): .system(action: "read", path: path, code: code)
            case .unavailable: .system(action: "compute the digest of", path: path, code: ENOMEM)
            }
    }

    /// The error of the system call that failed last, told apart by whether the disk is full.
    static func lastSystemError(_ action: String, _ path: String) -> ImageStoreError {
        let code = clinux_errno()
        return if code == ENOSPC || code == EDQUOT, let room = FileSystemRoom(at: path) {
            .noSpace(writing: path, room: room)
        } else {
            .system(action: action, path: path, code: code)
        }
    }
}
