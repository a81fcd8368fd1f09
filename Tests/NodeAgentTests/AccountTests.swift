import BootModel
import CLinux
import Foundation
import NodeAgent
import Testing

/// Accounts merged by the node's own script, in a root of its own under busybox.
@Suite(
    "Accounts on a node",
    .enabled(if: geteuid() == 0, "needs root for chroot"),
    .enabled(if: FileManager.default.fileExists(atPath: "/bin/busybox"), "busybox missing: install busybox-static")
)
struct AccountTests {
    private func user(_ name: String, _ uid: UInt32, groups: [String] = [], keys: [String] = []) throws -> User {
        User(
            name: try #require(UserName(name)),
            uid: uid,
            groups: groups.compactMap { UserName($0) },
            fullName: "A: B",
            password: PasswordHash("$y$j9T$aaaaaaaaaaaaaaaaaaaaaa$bbbbbbbbbbbbbbbbbbbbbbb"),
            sshKeys: keys.compactMap { SSHPublicKey($0) }
        )
    }

    @Test func mergeAndTakeBack() throws {
        let root = try AccountRoot()
        let before = root.accounts
        let anna = try user("anna", 1001, groups: ["audio", "pupils"], keys: ["ssh-ed25519 AAAAC3Nza x"])
        let bob = try user("bob", 1002, groups: ["pupils"])
        try root.merge([anna, bob])
        let passwd = root.text("etc/passwd")
        #expect(passwd.hasPrefix("root:x:0:0:root:/root:/bin/sh\ndaemon:"))
        #expect(passwd.contains("\nanna:x:1001:1001:A B:/home/anna:/bin/bash\nbob:x:1002:"))
        #expect(!passwd.contains("Image Anna"))
        #expect(root.text("etc/shadow").contains("\nanna:$y$j9T$"))
        #expect(
            root.text("etc/group")
                == "root:x:0:\naudio:x:29:daemon,anna\nanna:x:500:\nbob:x:1002:\npupils:x:61000:anna,bob\n"
        )
        #expect(root.text("run/diskless/ssh-keys/anna") == "ssh-ed25519 AAAAC3Nza x\n")
        #expect(root.mode("etc/passwd") == 0o644 && root.mode("etc/shadow") == 0o640)
        #expect(root.mode("etc/diskless-accounts") == 0o600 && root.mode("run/diskless/ssh-keys") == 0o755)
        // Once more changes nothing.
        let merged = root.accounts
        try root.merge([anna, bob])
        #expect(root.accounts == merged)
        // What the node adds by itself stays; the image's own anna comes back with ours gone.
        try root.append("local:x:777:777::/:/bin/false\n", to: "etc/passwd")
        try root.merge([bob])
        #expect(root.text("etc/passwd").contains("anna:x:500:500:Image Anna:/home/a:/bin/sh\n"))
        #expect(root.text("etc/passwd").contains("local:x:777"))
        #expect(root.text("etc/group").contains("pupils:x:61000:bob\n"))
        #expect(root.text("run/diskless/ssh-keys/anna") == "")
        try root.merge([])
        let after = root.accounts
        #expect(after["group"] == before["group"] && after["shadow"] == before["shadow"])
        #expect(
            Set((after["passwd"] ?? "").split(separator: "\n"))
                == Set(((before["passwd"] ?? "") + "local:x:777:777::/:/bin/false").split(separator: "\n"))
        )
    }

    /// A password that somebody changes on a node is not lost with the next change of the fleet, unless that is another
    /// password.
    @Test func aPasswordChangedOnTheNodeStaysUntilTheFleetGivesAnother() throws {
        let root = try AccountRoot()
        var anna = try user("anna", 1001)
        let bob = try user("bob", 1002)
        try root.merge([anna, bob])
        func change(_ name: String, to hash: String) throws {
            let lines = root.text("etc/shadow").split(separator: "\n").map {
                $0.hasPrefix("\(name):") ? "\(name):\(hash):20000:0:99999:7:::" : String($0)
            }
            try root.write(lines.joined(separator: "\n") + "\n", to: "etc/shadow")
        }
        func line(_ name: String) -> String {
            root.text("etc/shadow").split(separator: "\n").first { $0.hasPrefix("\(name):") }.map(String.init) ?? ""
        }
        try change("anna", to: "$y$own")
        anna.sshKeys = [try #require(SSHPublicKey("ssh-ed25519 AAAAC3Nza x"))]
        try root.merge([anna, bob])
        #expect(line("anna") == "anna:$y$own:20000:0:99999:7:::")
        #expect(line("bob").hasPrefix("bob:$y$j9T$"))
        try root.merge([anna, bob, try user("cleo", 1003)])
        #expect(line("anna") == "anna:$y$own:20000:0:99999:7:::", "also the next time")
        anna.password = PasswordHash("$y$j9T$cccccccccccccccccccccc$ddddddddddddddddddddddd")
        try root.merge([anna, bob])
        #expect(line("anna").hasPrefix("anna:$y$j9T$ccc"))
        // Who was away and comes back has the fleet's; so has the account of the image that ours covers.
        try change("anna", to: "$y$own")
        try root.merge([bob])
        #expect(line("anna") == "anna:$6$old:1::::::")
        try root.merge([anna, bob])
        #expect(line("anna").hasPrefix("anna:$y$j9T$ccc"))
        #expect(root.mode("etc/diskless-accounts") == 0o600 && root.mode("etc/shadow") == 0o640)
    }

    @Test func homesAreMadeOnce() throws {
        let root = try AccountRoot()
        try root.merge([try user("anna", 1001)])
        try root.run("homes")
        #expect(root.text("home/anna/.profile") == "hello\n" && root.mode("home/anna") == 0o700)
        var status = stat()
        #expect(unsafe stat(root.path("home/anna/.profile"), &status) == 0 && status.st_uid == 1001)
        try root.append("mine\n", to: "home/anna/.profile")
        try root.run("homes")
        #expect(root.text("home/anna/.profile") == "hello\nmine\n")
    }

    @Test func textCannotLeaveItsField() throws {
        var anna = try user("anna", 1001)
        anna.fullName = "x:0:0\nroot2::0:0\t"
        let text = AccountFile([anna]).text
        #expect(text.split(separator: "\n").count == 1)
        #expect(text.hasSuffix("\tx00root200\n"))
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck"), "shellcheck missing"),
        arguments: [AgentScript.agent, AgentScript.mergeUsers, AgentScript.prepare]
    )
    func scriptsAreClean(script: String) throws {
        let root = try AccountRoot()
        try root.write(script + "\n", to: "script")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/shellcheck")
        // Its own words: variables of agent.conf, ulimit of busybox, programs of awk between single quotes.
        process.arguments = ["-s", "sh", "-e", "SC2154,SC3045,SC2016,SC2015,SC2181,SC2034", root.path("script")]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}

/// The root of a made-up node.
private final class AccountRoot {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "diskless-accounts-" + UUID().uuidString
        for path in ["etc/skel", "run/diskless", "home", "tmp", "dev", "bin"] {
            try FileManager.default.createDirectory(atPath: self.path(path), withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: path("run/diskless/busybox"))
        try FileManager.default.createSymbolicLink(atPath: path("bin/sh"), withDestinationPath: "/run/diskless/busybox")
        try write(AgentScript.mergeUsers + "\n", to: "run/diskless/merge-users")
        try write("", to: "dev/null")
        try write("hello\n", to: "etc/skel/.profile")
        try write(
            "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nanna:x:500:500:Image Anna:/home/a:/bin/sh\n",
            to: "etc/passwd"
        )
        try write("root:!:1::::::\ndaemon:*:1::::::\nanna:$6$old:1::::::\n", to: "etc/shadow")
        try write("root:x:0:\naudio:x:29:daemon\nanna:x:500:\n", to: "etc/group")
        unsafe chmod(path("etc/passwd"), 0o644)
        unsafe chmod(path("etc/shadow"), 0o640)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }
    func append(_ text: String, to name: String) throws { try write(self.text(name) + text, to: name) }

    func mode(_ name: String) -> UInt32 {
        var status = stat()
        return unsafe stat(path(name), &status) == 0 ? UInt32(status.st_mode) & 0o7777 : 0
    }

    var accounts: [String: String] {
        Dictionary(uniqueKeysWithValues: ["passwd", "shadow", "group"].map { ($0, text("etc/\($0)")) })
    }

    func merge(_ users: [User]) throws {
        try write(AccountFile(users).text, to: "run/diskless/users")
        try run()
    }

    func run(_ words: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/chroot")
        process.arguments = [folder, "/run/diskless/busybox", "sh", "/run/diskless/merge-users"] + words
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
