import CLinux
import NetworkTypes
import Testing

/// `diskless serve tftp` or `serve http` over a directory of its own.
final class ServedDirectory {
    let files: TemporaryFiles
    private let process: pid_t
    private(set) var port: UInt16 = 0
    private let log: String

    /// Serves over "tftp" or "http" on a port that the kernel chooses, in a network namespace if one is named.
    init(_ kind: String, on address: String = "127.0.0.1", in namespace: String? = nil) throws {
        files = try TemporaryFiles()
        log = files.path("server-log")
        _ = unsafe mkdir(files.path("served"), 0o700)
        let enter = namespace.map { ["ip", "netns", "exec", $0] } ?? []
        let command = [BuiltProgram.path, "serve", kind, files.path("served"), "--listen", "\(address):0", "-v"]
        process = try NBDClientProgram.start(enter + command, log: log)
        for _ in 0..<5000 {
            let words = messages.split { " ,\n".contains($0) }
            if let at = words.firstIndex(where: { $0.hasPrefix("\(address):") }), messages.contains("serving") {
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
