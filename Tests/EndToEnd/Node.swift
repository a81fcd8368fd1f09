import Foundation
import Synchronization
import VirtualLab

/// A machine under test with a shell on its serial console.
final class Node: Sendable {
    let name: String
    let machine: VirtualMachine
    private let commands = Mutex(0)

    init(name: String, machine: VirtualMachine) { (self.name, self.machine) = (name, machine) }

    var console: Transcript { machine.console }

    /// Waits for the login prompt, and logs in as root.
    func login(limit: Duration = .seconds(420)) throws {
        let bad = ["Kernel panic", "could not start", "login: "]
        let first = try console.wait(forAny: bad, limit: limit)
        guard first.pattern == "login: " else {
            throw LabError("\(name): \(first.pattern); last lines:\n\(console.lastLines(20).joined(separator: "\n"))")
        }
        machine.type("root\n")
        let asked = try console.wait(for: "Password: ", from: first.position, limit: .seconds(60))
        machine.type("diskless\n")
        let prompt = try console.wait(for: "# ", from: asked, limit: .seconds(120))
        // The kernel's own lines would break into the commands' output; dmesg still has them.
        machine.type("dmesg -n 1; stty -echo cols 500; PS1=; PS2=; echo qu''iet\n")
        try console.wait(for: "quiet", from: prompt, limit: .seconds(60))
    }

    /// Runs a command line in the shell and gives its output; throws when its exit code is not 0.
    @discardableResult
    func run(_ command: String, limit: Duration = .seconds(60)) throws -> String {
        let number = commands.withLock { count in
            count += 1
            return count
        }
        let start = console.position
        // The quotes keep the marks out of what a terminal that still echoes would show.
        machine.type("echo be''gin-\(number)-; \(command)\necho en''d-\(number)-$?-\n")
        let begin = try console.wait(for: "begin-\(number)-", from: start, limit: limit)
        let end = try console.wait(for: "end-\(number)-", from: begin, limit: limit)
        let done = try console.wait(for: "-", from: end, limit: .seconds(20))
        let text = console.text(from: begin)
        let output = text.components(separatedBy: "end-\(number)-").first ?? ""
        let code = console.text(from: end).prefix(done - end - 1)
        // Bash tells the terminal about pasted text around every command, whatever the prompt is.
        let clean = output.replacing(/\x{1b}\[[0-9;?]*[A-Za-z]/, with: "").replacing("\r\n", with: "\n")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard code == "0" else { throw LabError("\(name): “\(command)” failed with \(code): \(clean.suffix(500))") }
        return clean
    }

    /// Lines of the kernel's log that tell of opens, locks or sessions over NFS that were not taken back.
    ///
    /// `waited` says that a program may have waited for a lock when the server went away. Linux then tells of "lost locks":
    /// it counts every lock without a stateid of its own after the reclaim, those that are only asked for too
    /// (`__nfs4_reclaim_open_state` in fs/nfs/nfs4state.c). A program whose lock is lost in earnest gets EIO.
    func reclaimErrors(waited: Bool = false) throws -> String {
        let lines = try run("dmesg | grep -iE 'nfs.*(reclaim|lost|failed|error|unhandled)|stale file handle' || true")
        guard waited else { return lines }
        return lines.split(separator: "\n").filter { !$0.contains(/\blost \d+ locks/) }.joined(separator: "\n")
    }

    /// How large the root's file system is, in MiB.
    func rootMegabytes() throws -> Int {
        let text = try run("df -m --output=size / | tail -n 1")
        guard let size = Int(text.filter(\.isNumber)) else { throw LabError("\(name): df said \(text)") }
        return size
    }

    /// Lines of the kernel's log that tell of a broken root.
    func rootErrors() throws -> String {
        try run("dmesg | grep -E 'I/O error|SQUASHFS error|EXT4-fs error|shutting down sockets|Remounting' || true")
    }
}
