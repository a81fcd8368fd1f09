import CLinux
import NetworkIO

/// A foreign program that runs in a namespace until it is killed.
final class ClientProcess {
    private var process: pid_t

    init(_ command: [String], in namespace: String, log: String = "/dev/null") throws {
        // Programs that are started here get no PATH, and these lie in /usr/sbin.
        let program = NBDClientProgram.place(of: command[0]) ?? command[0]
        process = try NBDClientProgram.start(
            ["ip", "netns", "exec", namespace, program] + command.dropFirst(),
            log: log
        )
    }

    deinit { kill() }

    /// Sends it a signal; it may go on.
    func signal(_ number: CInt) { if process > 0 { CLinux.kill(process, number) } }

    /// Waits for its end.
    func wait() {
        var status: CInt = 0
        if process > 0 { unsafe waitpid(process, &status, 0) }
        process = 0
    }

    func kill() {
        guard process > 0 else { return }
        CLinux.kill(process, SIGKILL)
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        process = 0
    }
}
