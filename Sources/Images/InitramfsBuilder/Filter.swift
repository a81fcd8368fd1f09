import CLinux

/// Runs a system tool that reads its standard input and writes its standard output.
enum Filter {
    /// Runs `arguments` with these bytes as input; what it writes goes to `output`.
    static func run(_ arguments: [String], input: [UInt8], output: Int32) throws(InitramfsError) {
        let tool = arguments.first ?? ""
        let source = unsafe memfd_create("filter-input", UInt32(MFD_CLOEXEC))
        let messages = unsafe memfd_create("filter-messages", UInt32(MFD_CLOEXEC))
        defer {
            close(source)
            close(messages)
        }
        guard source >= 0, messages >= 0 else { throw .tool(tool, reason: FileTree.reason(clinux_errno())) }
        try OutputFile.write(input, to: source)
        guard lseek(source, 0, SEEK_SET) == 0 else { throw .tool(tool, reason: FileTree.reason(clinux_errno())) }
        let code = spawn(arguments, source, output, messages)
        guard code != ENOENT else { throw .tool(tool, reason: "is not installed on this computer") }
        guard code >= 0 || code == -1 else { throw .tool(tool, reason: "failed") }
        guard code == 0 else {
            let said = try FileTree.contents(messages, path: tool) ?? []
            let last = String(decoding: said, as: UTF8.self).split(separator: "\n").last.map(String.init)
            throw .tool(tool, reason: last ?? (code > 0 ? FileTree.reason(code) : "failed without a word"))
        }
    }

    /// What the tool makes of these bytes.
    static func output(_ arguments: [String], input: [UInt8]) throws(InitramfsError) -> [UInt8] {
        let target = unsafe memfd_create("filter-output", UInt32(MFD_CLOEXEC))
        guard target >= 0 else { throw .tool(arguments.first ?? "", reason: FileTree.reason(clinux_errno())) }
        defer { close(target) }
        try run(arguments, input: input, output: target)
        return try FileTree.contents(target, path: arguments.first ?? "") ?? []
    }

    /// 0 when the tool ended well, -1 when it did not, an errno when it could not be started.
    private static func spawn(_ arguments: [String], _ input: Int32, _ output: Int32, _ messages: Int32) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, messages, 2)
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { unsafe words.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        // An empty environment: what GZIP or ZSTD_CLEVEL say on this machine must not change the bytes.
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        let code = unsafe posix_spawnp(&pid, arguments.first ?? "", &actions, nil, words, &environment)
        guard code == 0 else { return code }
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0 { if clinux_errno() != EINTR { return -1 } }
        return clinux_exited(status) != 0 && clinux_exit_status(status) == 0 ? 0 : -1
    }
}
