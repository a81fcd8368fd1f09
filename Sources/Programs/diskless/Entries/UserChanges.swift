import AdminAPI
import ArgumentParser
import BootModel
import CLinux
import FleetFile

/// How the password of a user is said.
struct PasswordOptions: ParsableArguments {
    @Flag(help: "Read a new password, from the terminal without showing it or from standard input, and keep its hash.")
    var password = false
    @Option(help: "The hash of the password as mkpasswd prints it; or 'none'.")
    var passwordHash: String?

    func validate() throws {
        if password, passwordHash != nil { throw ValidationError("say either --password or --password-hash") }
        if let passwordHash, passwordHash != "none", PasswordHash(passwordHash) == nil {
            throw ValidationError("--password-hash is neither none nor \(PasswordHash.form)")
        }
    }

    /// The change of the key `password`.
    func changes() throws -> [EntryEdit.Change] {
        if password {
            let hash = try PasswordHashing.hash(try PasswordInput.read())
            return [EntryEdit.Change(key: "password", operation: "=", value: hash)]
        }
        return passwordHash.map { [EntryEdit.Change(key: "password", operation: "=", value: $0)] } ?? []
    }
}

/// `diskless user add NAME KEY=VALUE…`.
struct UserAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a user.",
        discussion: "Without uid=NUMBER the next free one from 2000 on. " + EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var password: PasswordOptions
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws { try EntryChanges.check(words, .user, needsChange: false) }
    func run() throws {
        try changes.send(words, .user, mode: .add, also: password.changes(), to: server.client)
    }
}

/// `diskless user set NAME KEY=VALUE…`.
struct UserSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change users.",
        discussion: EntryHelp.discussion
    )

    @Argument(help: EntryHelp.words)
    var words: [String]
    @OptionGroup var password: PasswordOptions
    @OptionGroup var changes: EntryChanges
    @OptionGroup var server: ServerOption

    func validate() throws {
        let saysPassword = password.password || password.passwordHash != nil
        try EntryChanges.check(words, .user, needsChange: !saysPassword, unset: changes.unset)
    }
    func run() throws {
        try changes.send(words, .user, mode: .change, also: password.changes(), to: server.client)
    }
}

/// `diskless user import FILE`.
struct UserImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Add and change the users of a table.",
        discussion: """
            The table is comma-separated values; its first row names columns: name, uid, groups, full-name, shell, home, \
            password (a hash, as mkpasswd prints it), ssh-keys, profiles. Elements of a list stand between semicolons. \
            All rows are checked first; when one is wrong none is taken.
            """
    )

    @Argument(help: "The table; - reads standard input.")
    var file: String
    @Flag(help: "Only show what would change.")
    var dryRun = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let text = try FleetFileText.read(file)
        do {
            let reply = try server.client.importUsers(text, dryRun: dryRun)
            if json.isOn { return try Output.json(reply) }
            EntryChanges.print(reply)
        } catch let problem as AdminProblem {
            let name = file == "-" ? "standard input" : file
            for line in problem.lines(file: name) { Output.note(Output.printable(line)) }
            Output.note("no user was added or changed")
            throw ExitCode.failure
        }
    }
}

/// A password from whoever types it.
enum PasswordInput {
    /// Longest password, in bytes.
    private static let limit = 512

    /// Reads one line; on a terminal twice, and without showing it.
    static func read() throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try checked(readLine(strippingNewline: true) ?? "") }
        var saved = termios()
        unsafe tcgetattr(STDIN_FILENO, &saved)
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) }
        let first = ask("New password: ")
        guard ask("Again: ") == first else { throw PasswordProblem(description: "the two passwords differ") }
        return try checked(first)
    }

    private static func ask(_ question: String) -> String {
        _ = unsafe write(STDERR_FILENO, question, question.utf8.count)
        let answer = readLine(strippingNewline: true) ?? ""
        Output.note("")
        return answer
    }

    private static func checked(_ password: String) throws -> String {
        guard !password.isEmpty else { throw PasswordProblem(description: "the password is empty") }
        guard password.utf8.count <= limit, !password.utf8.contains(0) else {
            throw PasswordProblem(description: "the password is longer than \(limit) bytes, or holds a zero byte")
        }
        return password
    }
}

/// Why a password cannot be taken.
struct PasswordProblem: Error, CustomStringConvertible {
    let description: String
}

/// Makes hashes with the system's libcrypt.
enum PasswordHashing {
    /// The yescrypt hash of a password, with a salt of its own.
    ///
    /// Throws `PasswordProblem` when the system's libcrypt is missing or too old for yescrypt.
    static func hash(_ password: String) throws -> String {
        var hash = [CChar](repeating: 0, count: 512)
        let count = hash.count
        guard unsafe clinux_hash_password(password, &hash, count) == 0,
            let text = String(validating: hash.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            PasswordHash(text) != nil
        else {
            throw PasswordProblem(
                description:
                    "this system cannot make yescrypt hashes (libcrypt.so.1 of libxcrypt 4.3 or later is missing):"
                    + " make the hash with mkpasswd elsewhere and give it with --password-hash"
            )
        }
        return text
    }
}
