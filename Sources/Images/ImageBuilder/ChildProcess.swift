internal import CLinux

/// One running program in a process group of its own, with pipes from its output.
struct ChildProcess: ~Copyable {
    private let pid: pid_t
    private var messages: Int32
    private var captured: Int32
    private var status: ToolStatus?
    private var quietRounds: Int32 = 0
    /// Whether the last look at the pipes found anything.
    private(set) var hasMore = true

    /// Starts a program; standard error goes to the message pipe, and standard output too unless it is captured.
    init(
        _ path: String,
        _ arguments: [String],
        environment: [String],
        input: [UInt8],
        capture: Bool
    ) throws(BuildError) {
        let standardInput = try Self.memory(input)
        defer { close(standardInput) }
        let (messages, messagesEnd) = try Self.pipe()
        defer { close(messagesEnd) }
        var captured: Int32 = -1
        var capturedEnd: Int32 = -1
        defer { if capturedEnd >= 0 { close(capturedEnd) } }
        if capture {
            do throws(BuildError) {
                (captured, capturedEnd) = try Self.pipe()
            } catch {
                close(messages)
                throw error
            }
        }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, capture ? capturedEnd : messagesEnd, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, messagesEnd, 2)
        // Ctrl-C is for us to pass on: mmdebstrap unmounts what it mounted only when it alone decides the order.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        )

        var pid: pid_t = 0
        let code = unsafe Self.withVector([path] + arguments) { argv in
            unsafe Self.withVector(environment) { envp in
                unsafe posix_spawn(&pid, path, &actions, &attributes, argv, envp)
            }
        }
        guard code == 0 else {
            close(messages)
            if captured >= 0 { close(captured) }
            throw .system(action: "run", path: path, code: code)
        }
        self.pid = pid
        self.messages = messages
        self.captured = captured
    }

    deinit {
        if messages >= 0 { close(messages) }
        if captured >= 0 { close(captured) }
        if status == nil {
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Whether a pipe is still open.
    var isReadable: Bool { messages >= 0 || captured >= 0 }

    /// Sends a signal to the program and all it started.
    func signal(_ number: Int32) { kill(-pid, number) }

    /// How it ended, once it has.
    mutating func poll() -> ToolStatus? {
        if let status { return status }
        var word: Int32 = 0
        guard unsafe waitpid(pid, &word, WNOHANG) == pid else { return nil }
        let signal = clinux_term_signal(word)
        status = signal != 0 ? .signal(signal) : .exit(clinux_exit_status(word))
        return status
    }

    /// Waits a moment for output, for its end or for `waker`, and returns what has come.
    mutating func read(orWakenBy waker: Int32) -> (messages: [UInt8], captured: [UInt8]) {
        var polls = [
            pollfd(fd: messages, events: Int16(POLLIN), revents: 0),
            pollfd(fd: captured, events: Int16(POLLIN), revents: 0),
            pollfd(fd: waker, events: Int16(POLLIN), revents: 0),
        ]
        // With the pipes closed only the end is left to wait for, and it is near.
        let limit: Int32 = status != nil ? 0 : isReadable ? 200 : min(50, 1 << min(quietRounds, 6))
        if !isReadable { quietRounds += 1 }
        unsafe CLinux.poll(&polls, nfds_t(polls.count), limit)
        let first = polls[0].revents != 0 ? Self.drain(&messages) : []
        let second = polls[1].revents != 0 ? Self.drain(&captured) : []
        hasMore = !first.isEmpty || !second.isEmpty
        return (first, second)
    }

    private static func drain(_ descriptor: inout Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe CLinux.read(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { return Array(bytes[..<count]) }
        if count == 0 || clinux_errno() != EINTR && clinux_errno() != EAGAIN {
            close(descriptor)
            descriptor = -1
        }
        return []
    }

    private static func pipe() throws(BuildError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw .system(action: "make a pipe", path: "", code: clinux_errno())
        }
        return (ends[0], ends[1])
    }

    /// A file in memory with these bytes, to be read from its beginning: no writer that could block or get SIGPIPE.
    private static func memory(_ bytes: [UInt8]) throws(BuildError) -> Int32 {
        let descriptor = unsafe memfd_create("input", UInt32(MFD_CLOEXEC))
        guard descriptor >= 0 else { throw .system(action: "make", path: "a file in memory", code: clinux_errno()) }
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            close(descriptor)
            throw .system(action: "write", path: "a file in memory", code: ENOSPC)
        }
        return descriptor
    }

    private static func withVector<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a vector ends with nil") }
            return unsafe body(base)
        }
    }
}
