import BootModel
import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// The whole server as a process on a network of the test's own, and commands beside it.
final class ServerProcess {
    /// How a command ended, and what it said where.
    struct Result {
        var status: CInt
        var output: String
        var errors: String
        /// Its lines of errors.
        var errorLines: [Substring] { errors.split(separator: "\n") }
    }

    /// The server's address and port 0.
    static let address = IPv4Address(10, 77, 0, 1)

    let network: TestNetwork
    let files: TemporaryFiles
    /// The state directory.
    var state: String { files.path("state") }
    private(set) var process: pid_t = 0
    /// Run in the server's own mount namespace before the program: to hide or mount something.
    var preparation = ":"
    /// Words before the server's own that start it with less rights; commands beside it have all.
    var confinement: [String] = []

    init() throws {
        network = try TestNetwork()
        files = try TemporaryFiles()
        _ = unsafe mkdir(state, 0o755)
    }

    deinit { kill() }

    /// What the server has logged since its last start.
    var log: String { NBDClientProgram.text(files.path("server-log")) }

    /// Runs a program to its end in the server's namespace, or in another.
    func run(_ command: [String], in namespace: String? = nil, limit: Int = 60) throws -> Result {
        let output = files.path("stdout-\(UInt32.random(in: 0...UInt32.max))")
        let errors = output + "-errors"
        defer {
            _ = unsafe unlink(output)
            _ = unsafe unlink(errors)
        }
        let process = try NBDClientProgram.start(
            ["timeout", "-s", "KILL", "\(limit)", "ip", "netns", "exec", namespace ?? network.server]
                + ["sh", "-c", "exec 2>\"$0\"; \(preparation); exec \"$@\"", errors] + command,
            log: output
        )
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        return Result(
            status: clinux_exited(status) != 0 ? clinux_exit_status(status) : -1,
            output: NBDClientProgram.text(output),
            errors: NBDClientProgram.text(errors)
        )
    }

    /// Runs a client on the other computer.
    func client(_ command: String...) throws -> Result { try run(command, in: network.client) }

    /// Runs `diskless WORDS --state STATE`.
    func diskless(_ words: String...) throws -> Result {
        try run([BuiltProgram.path] + words + ["--state", state])
    }

    /// The options of a server that answers on the wire.
    static let usual = ["--interface", TestNetwork.interface, "--dhcp", "full"]

    /// Runs `diskless serve` that is expected to end by itself.
    func serve(_ options: [String] = usual, limit: Int = 20) throws -> Result {
        try run([BuiltProgram.path, "serve", "--state", state] + options, limit: limit)
    }

    /// Starts `diskless serve` and waits until it says that it is ready; not at all when `awaiting` is nil.
    func start(_ options: [String] = usual, awaiting: String? = "[Daemon] ready") throws {
        let log = files.path("server-log")
        let command = confinement + [BuiltProgram.path, "serve", "--state", state] + options
        process = try NBDClientProgram.start(
            ["ip", "netns", "exec", network.server, "sh", "-c", "\(preparation); exec \"$@\"", "sh"] + command,
            log: log
        )
        guard let awaiting else { return }
        try wait("the server does not start: \(self.log)") { self.log.contains(awaiting) }
    }

    /// Waits until something holds, ten seconds at most.
    func wait(_ problem: @autoclosure () -> String, until condition: () throws -> Bool) throws {
        for _ in 0..<5000 {
            if try condition() { return }
            usleep(2000)
        }
        Issue.record("\(problem())")
    }

    /// Whether it still runs.
    var isAlive: Bool {
        var status: CInt = 0
        guard process > 0 else { return false }
        return unsafe waitpid(process, &status, WNOHANG) == 0
    }

    /// Sends SIGTERM and waits for the end; the exit status and the seconds it took.
    func terminate() throws -> (status: CInt, seconds: Double) {
        let begin = ContinuousClock.now
        CLinux.kill(process, SIGTERM)
        var status: CInt = 0
        try wait("the server does not end") { unsafe waitpid(process, &status, WNOHANG) == process }
        process = 0
        let time = (ContinuousClock.now - begin).components
        return (
            clinux_exited(status) != 0 ? clinux_exit_status(status) : -1,
            Double(time.seconds) + Double(time.attoseconds) * 1e-18
        )
    }

    /// Ends it as a crash would.
    func kill() {
        guard process > 0 else { return }
        CLinux.kill(process, SIGKILL)
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        process = 0
    }

    /// A figure of its memory in KiB: `Rss`, `Pss`, `Pss_Anon`, as the kernel counts it.
    func memory(_ key: String = "Rss") throws -> Int {
        let line = try #require(
            Self.kernelText("/proc/\(process)/smaps_rollup").split(separator: "\n").first {
                $0.hasPrefix(key + ":")
            }
        )
        return try #require(Int(line.filter(\.isNumber)))
    }

    /// A file that the kernel writes as it is read.
    private static func kernelText(_ path: String) -> String {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes[..<max(count, 0)], as: UTF8.self)
    }

    /// Publishes an image of made-up files; its version is `NAME@1`.
    func publish(_ name: String, rootSize: Int = 1 << 20, rootFormat: RootFormat = .squashfs) throws {
        try MadeUpImage.publish(name, state: state, rootSize: rootSize, rootFormat: rootFormat)
    }
}
