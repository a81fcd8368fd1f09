import CLinux
public import HTTP1
import NetworkIO

/// Serves the files below one directory, read only.
public struct HTTPDirectory: HTTPHandler {
    private let directory: ConfinedDirectory
    private let report: (@Sendable (HTTPReport) -> Void)?
    private let files: OpenFiles

    /// Serves the directory at `path`.
    ///
    /// Throws `SystemCallError` when it cannot be opened.
    public init(
        _ path: String,
        files: OpenFiles = OpenFiles(),
        report: (@Sendable (HTTPReport) -> Void)? = nil
    ) throws {
        self.files = files
        directory = try ConfinedDirectory(path)
        self.report = report
    }

    /// The file of that path, or why there is none.
    public func respond(to request: HTTPRequest) -> HTTPResponse {
        guard request.method == .get || request.method == .head else {
            var refusal = HTTPResponse.text(.methodNotAllowed, "only GET and HEAD are answered here")
            refusal.fields.append(HTTPField("Allow", "GET, HEAD"))
            return refusal
        }
        let parts = request.path.components
        let name = parts.count == 1 ? parts[0] : parts.joined(separator: "/")
        do {
            let file = try files.file(name) { () throws(SystemCallError) in
                var file = HTTPFile(try directory.open(name.isEmpty ? "." : name))
                file.type = HTTPMediaType.of(name)
                return file
            }
            var response = HTTPResponse.file(file)
            response.isForAnyone = true
            return response
        } catch {
            switch error.number {
            case ENOENT, ENOTDIR, ENAMETOOLONG: return .text(.notFound, "no file '/\(name)' here")
            case EISDIR: return .text(.notFound, "'/\(name)' is a directory: name a file")
            case EXDEV, ELOOP: return .text(.forbidden, "'/\(name)' leads out of the served directory")
            case EACCES, EPERM: return .text(.forbidden, "'/\(name)' must not be read")
            default: return .text(.internalServerError, "'/\(name)': \(error.reason)")
            }
        }
    }

    /// Looking a file up is as good as without waiting.
    public func respondAtOnce(to request: HTTPRequest) -> HTTPResponse? { respond(to: request) }

    /// Passes the report on.
    public func finished(_ report: HTTPReport) { self.report?(report) }
    /// Whether somebody takes them.
    public func wantsReport(of head: HTTPRequestHead) -> Bool { report != nil }
    /// The files it has served lately.
    public var openFiles: OpenFiles? { files }
}

/// What kind of content a file name promises.
public enum HTTPMediaType {
    /// The media type for a file name; UEFI HTTP Boot chooses by it what to do with a file.
    public static func of(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), let type = types[name[name.index(after: dot)...].lowercased()] else {
            return "application/octet-stream"
        }
        return type
    }

    private static let types = [
        "efi": "application/efi", "iso": "application/vnd.efi-iso", "img": "application/vnd.efi-img",
        "ipxe": "text/plain; charset=utf-8", "txt": "text/plain; charset=utf-8", "cfg": "text/plain; charset=utf-8",
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "json": "application/json", "svg": "image/svg+xml", "png": "image/png",
    ]
}
