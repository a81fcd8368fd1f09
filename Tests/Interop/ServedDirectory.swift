import CLinux
import NetworkTypes
import Testing

/// `diskless serve tftp` or `serve http` over a directory of its own.
final class ServedDirectory {
    let files: TemporaryFiles
    private let process: pid_t
    private(set) var port: UInt16 = 0
    private let log: String

    /// Serves over "tftp" or "http" on a port that the kernel chooses.
    init(_ kind: String) throws {
        files = try TemporaryFiles()
        log = files.path("server-log")
        _ = unsafe mkdir(files.path("served"), 0o700)
        let command = [BuiltProgram.path, "serve", kind, files.path("served"), "--listen", "127.0.0.1:0", "-v"]
        process = try NBDClientProgram.start(command, log: log)
        for _ in 0..<5000 {
            let words = messages.split { " ,\n".contains($0) }
            if let at = words.firstIndex(where: { $0.hasPrefix("127.0.0.1:") }), messages.contains("serving") {
                port = Endpoint(String(words[at]))?.port ?? 0
                return
            }
            usleep(2000)
        }
        Issue.record("the server does not start: \(messages)")
    }

    deinit {
        kill(process, SIGKILL)
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
    }

    /// What the server has printed.
    var messages: String { NBDClientProgram.text(log) }

    /// Puts a file of `size` patterned bytes there; its contents.
    func put(_ name: String, size: Int) throws -> [UInt8] {
        let path = try files.image("served/\(name)", size: size, offset: 0, count: size)
        return NBDClientProgram.bytes(path)
    }

    /// Runs a client.
    func run(_ command: String...) throws -> NBDClientProgram.Outcome { try NBDClientProgram.run(command, in: files) }

    /// What a client has fetched into `name`, which is removed.
    func fetched(_ name: String = "fetched") -> [UInt8] {
        defer { _ = unsafe unlink(files.path(name)) }
        return NBDClientProgram.bytes(files.path(name))
    }
}
