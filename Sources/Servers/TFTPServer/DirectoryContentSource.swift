import CLinux
import NetworkIO
import TFTP

/// Serves every file below one directory.
public struct DirectoryContentSource: TFTPContentSource {
    private let directory: ConfinedDirectory
    private let report: @Sendable (TFTPTransferReport) -> Void

    /// Serves the directory at `path`.
    ///
    /// Throws `SystemCallError` when it cannot be opened.
    public init(_ path: String, report: @escaping @Sendable (TFTPTransferReport) -> Void = { _ in }) throws {
        directory = try ConfinedDirectory(path)
        self.report = report
    }

    /// The file of that name.
    public func content(for request: TFTPContentRequest) -> TFTPContent {
        do {
            let file = try directory.open(request.name.path)
            return .file(file.descriptor, size: file.size)
        } catch {
            switch error.number {
            case ENOENT, ENOTDIR, ENAMETOOLONG: return .refused(.fileNotFound, "no file '\(request.name)' here")
            case EISDIR: return .refused(.fileNotFound, "'\(request.name)' is a directory: name a file")
            case EXDEV, ELOOP: return .refused(.accessViolation, "'\(request.name)' leads out of the served directory")
            default: return .refused(.accessViolation, "'\(request.name)': \(error.reason)")
            }
        }
    }

    /// Passes the report on.
    public func finished(_ report: TFTPTransferReport) { self.report(report) }
}
