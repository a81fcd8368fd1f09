import CLinux
import Testing

/// Runs other people's NBD clients and our own server as child processes.
enum NBDClientProgram {
    struct Outcome {
        var status: CInt
        var output: String
    }

    /// Whether a program is in PATH.
    static func isThere(_ name: String) -> Bool { place(of: name) != nil }

    /// Where in PATH a program lies: programs that are started here get no environment to look themselves.
    static func place(of name: String) -> String? {
        guard let path = unsafe getenv("PATH") else { return nil }
        return unsafe String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
            .first { unsafe access($0, X_OK) == 0 }
    }

    /// Starts a program with its output in `log`; the process id.
    static func start(_ command: [String], log: String) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Threads of the tests block signals, and so would the program: one that is told to end would not hear of it.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var usual = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigemptyset(&usual)
        for number in [SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGHUP, SIGUSR1, SIGUSR2] { unsafe sigaddset(&usual, number) }
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process = pid_t()
        let result = unsafe posix_spawnp(&process, command[0], &actions, &attributes, &arguments, nil)
        try #require(result == 0, "\(command[0]) cannot be started")
        return process
    }

    /// Runs a program to its end; it is killed after two minutes.
    static func run(_ command: [String], in directory: TemporaryFiles) throws -> Outcome {
        let log = directory.path("output")
        let process = try start(["timeout", "-s", "KILL", "120"] + command, log: log)
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        return Outcome(status: clinux_exited(status) != 0 ? clinux_exit_status(status) : -1, output: text(log))
    }

    /// A file's contents as text.
    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// A file's contents.
    static func bytes(_ path: String) -> [UInt8] {
        let descriptor = unsafe clinux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: max(0, Int(lseek(descriptor, 0, SEEK_END))))
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes[..<max(count, 0)])
    }
}

/// A directory of its own, removed at the end.
final class TemporaryFiles {
    let directory: String
    init() throws {
        var template = Array("/tmp/diskless-interop-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit {
        if let process = try? NBDClientProgram.start(["rm", "-rf", directory], log: "/dev/null") {
            var status: CInt = 0
            unsafe waitpid(process, &status, 0)
        }
    }
    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// A sparse file of `size` bytes with `count` patterned bytes in it from `offset` on.
    func image(_ name: String, size: Int, offset: Int, count: Int) throws -> String {
        let descriptor = unsafe clinux_open(path(name), O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        // Pieces of an odd length, so that no two blocks are alike.
        let piece = (0..<99_991).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 11) }
        try #require(ftruncate(descriptor, off_t(size)) == 0)
        for start in stride(from: 0, to: count, by: piece.count) {
            let length = min(piece.count, count - start)
            try #require(unsafe pwrite(descriptor, piece, length, off_t(offset + start)) == length)
        }
        return path(name)
    }
}

/// `diskless serve nbd` as a process of its own, so that it can be killed.
final class NBDServerProcess {
    private var process: pid_t = 0
    private let command: [String]
    private let log: String
    private(set) var port: UInt16 = 0

    init(_ arguments: [String], in directory: TemporaryFiles) throws {
        command = [BuiltProgram.path, "serve", "nbd"] + arguments
        log = directory.path("server-log")
        try start(port: 0)
    }

    deinit { kill() }

    var url: String { "nbd://127.0.0.1:\(port)/disk" }

    private func start(port: UInt16) throws {
        process = try NBDClientProgram.start(command + ["--listen", "127.0.0.1:\(port)"], log: log)
        // The line "serving … on TCP 127.0.0.1:PORT" says that it listens.
        for _ in 0..<5000 {
            let words = NBDClientProgram.text(log).split { " ,\n".contains($0) }
            if let at = words.firstIndex(of: "TCP"), at + 1 < words.count,
                let number = words[at + 1].split(separator: ":").last
            {
                self.port = UInt16(number) ?? 0
                return
            }
            usleep(2000)
        }
        Issue.record("the server does not start: \(NBDClientProgram.text(log))")
    }

    /// Ends the server as a crash would.
    func kill() {
        guard process > 0 else { return }
        CLinux.kill(process, SIGKILL)
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        process = 0
    }

    /// Kills it and starts it again on the same port.
    func crashAndRestart() throws {
        kill()
        try start(port: port)
    }
}
