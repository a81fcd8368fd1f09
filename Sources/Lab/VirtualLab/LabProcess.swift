import CLinux

/// A program running in a lab: its output, its end, and a way to stop it.
///
/// It is in a process group of its own (so that Ctrl-C reaches the lab and not it), and the kernel kills it when the
/// thread that started it ends, so nothing is left however this process ends.
public final class LabProcess: Sendable {
    /// What it writes on standard output and standard error.
    public let output: Transcript
    /// What it is, for messages: the program's name.
    public let name: String
    /// The process's id.
    public let id: Int32

    /// nil while it runs; then the wait status.
    private let status = Monitor<Int32?>(nil)
    private let input: Int32

    /// Starts `command` (a path and its arguments); called on the thread whose namespace and life it shares.
    init(command: [String], output: Transcript, environment: [String: String] = [:]) throws {
        name = command.first.map { String($0.split(separator: "/").last ?? "?") } ?? "?"
        self.output = output
        let outputPipe = try Pipe()
        let inputPipe = try Pipe()
        let words = [try LabTool.setpriv.require(), "--pdeathsig", "KILL", "--"] + command
        let result = spawn(words, input: inputPipe.reading, output: outputPipe.writing, environment: environment)
        close(inputPipe.reading)
        close(outputPipe.writing)
        input = inputPipe.writing
        guard let process = result else {
            close(inputPipe.writing)
            close(outputPipe.reading)
            throw LabError("cannot start \(command.joined(separator: " "))")
        }
        id = process
        output.read(from: outputPipe.reading)
        startThread { [id, status] in
            var result: Int32 = 0
            // The entry is reaped inside the monitor's turn, so `signal` never meets a process id that is not ours.
            var information = unsafe siginfo_t()
            while unsafe waitid(P_PID, UInt32(id), &information, WEXITED | WNOWAIT) < 0, clinux_errno() == EINTR {}
            status.update { status in
                unsafe waitpid(id, &result, 0)
                status = result
            }
        }
    }

    deinit { close(input) }

    /// Whether it still runs.
    public var isRunning: Bool { status.read { $0 == nil } }

    /// How it ended, such as “exit code 1”; nil while it runs.
    public var ending: String? { status.read { $0.map(describe) } }

    /// Sends a signal, if it still runs.
    public func signal(_ number: Int32) {
        status.read { status in
            guard status == nil else { return }
            kill(id, number)
        }
    }

    /// Waits for its end.
    ///
    /// - Returns: the exit code, 128 + the signal when one ended it, nil when the limit passed.
    @discardableResult
    public func waitForExit(limit: Duration?) -> Int32? {
        status.wait(limit: limit) { $0 }.map { status in
            clinux_exited(status) != 0 ? clinux_exit_status(status) : 128 + clinux_term_signal(status)
        }
    }

    /// Asks it to end with SIGTERM, after `grace` with SIGKILL, and waits until it did.
    public func stop(grace: Duration = .seconds(5)) {
        signal(SIGTERM)
        signal(SIGCONT)
        if waitForExit(limit: grace) == nil {
            signal(SIGKILL)
            waitForExit(limit: .seconds(10))
        }
    }

    /// Waits until it answers on a Unix socket.
    ///
    /// - Throws: ``LabError`` with its last lines when it ended or `limit` passed before.
    public func waitForSocket(_ path: String, limit: Duration) throws {
        let end = MonotonicTime.now.seconds + limit.inSeconds
        while MonotonicTime.now.seconds < end, isRunning {
            if let descriptor = try? connectUnixSocket(path) {
                close(descriptor)
                return
            }
            // Nobody tells when another process begins to listen.
            waitForExit(limit: .milliseconds(20))
        }
        let last = output.lastLines(8).map { "  \($0)" }.joined(separator: "\n")
        let what = ending.map { "\(name) ended (\($0))" } ?? "\(name) does not answer on \(path)"
        throw LabError("\(what); its last lines:\n\(last)")
    }

    /// Writes to its standard input.
    public func type(_ text: String) { type(bytes: Array(text.utf8)) }

    /// Writes bytes to its standard input.
    public func type(bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(input, $0.baseAddress, $0.count) }
            if count < 0, clinux_errno() == EINTR { continue }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}

private func describe(_ status: Int32) -> String {
    clinux_exited(status) != 0 ? "exit code \(clinux_exit_status(status))" : "signal \(clinux_term_signal(status))"
}

private struct Pipe {
    let reading: Int32
    let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw LabError("cannot make a pipe (error \(clinux_errno()))")
        }
        (reading, writing) = (ends[0], ends[1])
    }
}

/// posix_spawn with standard streams, a group of its own and no blocked signals.
private func spawn(_ words: [String], input: Int32, output: Int32, environment: [String: String]) -> Int32? {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    var usual = sigset_t()
    unsafe sigemptyset(&usual)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { unsafe sigaddset(&usual, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    var process: pid_t = 0
    let arguments = unsafe CStrings(words)
    let variables = unsafe CStrings(inheritedEnvironment(adding: environment))
    let result = unsafe posix_spawn(&process, words[0], &actions, &attributes, arguments.pointers, variables.pointers)
    return result == 0 ? process : nil
}

private func inheritedEnvironment(adding more: [String: String]) -> [String] {
    let kept = ["PATH", "HOME", "LANG", "TERM", "TMPDIR", "LD_LIBRARY_PATH"].filter { more[$0] == nil }
    return kept.compactMap { name in unsafe getenv(name).map { unsafe "\(name)=\(String(cString: $0))" } }
        + more.map { "\($0.key)=\($0.value)" }
}

/// A null-terminated array of C strings that is freed with this object.
@unsafe
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ words: [String]) { unsafe pointers = words.map { unsafe strdup($0) } + [nil] }

    deinit { unsafe pointers.forEach { unsafe free($0) } }
}
