import ArgumentParser
import CLinux
import Daemon

/// The command line: `diskless VERB` or `diskless NOUN VERB`.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage.
@main
struct Diskless: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diskless",
        abstract: "Boot and run computers that have no disk.",
        discussion:
            "'diskless serve --interface IF' boots any machine on that network; 'diskless try' shows one without hardware.",
        version: Version.text,
        subcommands: [
            Serve.self, Try.self, Image.self, NodeCommand.self, ProfileCommand.self, NetworkCommand.self,
            UserCommand.self, FilesCommand.self, Loader.self, Apply.self, Export.self, Backup.self, Restore.self,
            Watch.self, Boots.self, Explain.self, Leases.self, Status.self, Generate.self,
        ]
    )

    static func main() {
        // A reader of our output that leaves (diskless boots | head) is no reason for a signal.
        clinux_ignore_broken_pipe()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if code == .success {
                print(message)
                return
            }
            if !message.isEmpty { writeLine(message, to: STDERR_FILENO) }
            Diskless.leave(code == .validationFailure ? 2 : code.rawValue)
        }
    }

    private static func writeLine(_ text: String, to descriptor: CInt) {
        let bytes = Array((text + "\n").utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
    }

    private static func leave(_ code: CInt) -> Never { CLinux.exit(code) }
}

/// What this program calls itself.
enum Version {
    /// The version, as in CHANGELOG.md.
    static let text = "0.1.0"
}

/// `--state`, as every command that works on the state directory has it.
struct StateOption: ParsableArguments {
    @Option(
        name: [.customLong("state"), .customLong("state-directory")],
        help: ArgumentHelp("The state directory.", valueName: "dir")
    )
    var path: String = StateDirectory.defaultPath

    /// The directory.
    var directory: StateDirectory { StateDirectory(path) }
}
