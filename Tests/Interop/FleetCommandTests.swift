import CLinux
import Foundation
import NetworkIO
import NetworkTypes
import Testing

/// The commands that write the fleet, against a running server.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct FleetCommandTests {
    private static let mac = TestNetwork.clientMAC
    private static let script = "http://10.77.0.1:8067/boot/\(mac.replacing(":", with: "-"))/script.ipxe"

    private func run(_ server: ServerProcess, _ words: String...) throws -> ServerProcess.Result {
        try server.run([BuiltProgram.path] + words + ["--state", server.state])
    }

    private func expect(_ result: ServerProcess.Result, _ output: String, _ place: SourceLocation = #_sourceLocation) {
        #expect(
            result.status == 0 && result.output == output,
            "\(result.output)\(result.errors)",
            sourceLocation: place
        )
    }

    private func refuse(_ result: ServerProcess.Result, _ error: String, _ place: SourceLocation = #_sourceLocation) {
        #expect(result.status == 1 && result.errors == error, "\(result.output)\(result.errors)", sourceLocation: place)
    }

    @Test func changesActAtOnceAndAreTakenBack() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.publish("debian")
        try server.publish("other")
        try server.start()
        func kernel() throws -> String {
            let text = try server.client("curl", "-sS", Self.script).output
            return text.split(separator: "\n").first { $0.hasPrefix("kernel ") }.map(String.init) ?? text
        }
        expect(try run(server, "profile", "add", "lab", "image=debian:lab"), "+ profile lab  image: debian:lab\n")
        _ = try run(server, "node", "add", "megane", "--mac", Self.mac, "--profile", "lab")
        #expect(try server.client("curl", "-sS", Self.script).output.contains("there is no such tag"))
        expect(try run(server, "image", "tag", "debian@1", "lab"), "debian:lab is debian@1\n")
        #expect(try kernel().contains("/images/debian/1/"))
        expect(try run(server, "image", "tag", "debian", "lab"), "debian:lab is debian@2\n")
        #expect(try kernel().contains("/images/debian/2/"))
        let kept = try run(server, "image", "rm", "debian@2")
        #expect(kept.status != 0 && kept.errors.contains("debian@2 has the tag debian:lab"), "\(kept.errors)")
        expect(
            try run(server, "node", "set", "megane", "image=other", "kernel-arguments+=quiet"),
            "~ node megane  image: not set -> other (next boot), kernel-arguments: not set -> [quiet] (next boot)\n"
        )
        #expect(try kernel().contains("/images/other/1/") && kernel().contains(" quiet "))
        expect(
            try run(server, "node", "set", "megane", "--unset", "image", "kernel-arguments-=quiet"),
            "~ node megane  image: other -> not set (next boot), kernel-arguments: [quiet] -> [] (next boot)\n"
        )
        #expect(try kernel().contains("/images/debian/2/"))
        refuse(
            try run(server, "profile", "rm", "lab"),
            "Error: profile lab is kept, for node megane names it: take it away there first\n"
        )
        refuse(
            try run(server, "node", "set", "megane", "root={via: ram, writes: cow}"),
            "Error: node megane: root {via: ram, writes: cow} cannot work: the image file itself stays read-only;"
                + " use writes ram or keep, or via nbd or nfs\n"
        )
        refuse(
            try run(server, "profile", "set", "lab", "inherits=[lab]"),
            "Error: profile lab: inherits itself (lab -> lab); remove one of them\n"
        )
        let show = try run(server, "node", "show", "megane").output
        #expect(show.contains("image\tdebian:lab\tprofile lab") && show.contains("profiles\tlab"))
    }

    @Test func aProfileAppliesItselfAndSaysSo() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        _ = try run(server, "profile", "add", "here", "selectors=[{mac: \(Self.mac.prefix(8))}]", "variables.x=1")
        let explained = try run(server, "explain", Self.mac).output
        #expect(explained.contains("here (applies itself: mac \(Self.mac.prefix(8)))"), "\(explained)")
    }

    @Test func usersKeepTheirSecrets() throws {
        let server = try ServerProcess()
        try server.start()
        let added = try server.run([
            "sh", "-c", "echo 'open sesame' | \"$@\"", "sh", BuiltProgram.path, "user", "add", "anna", "groups=audio",
            "--password", "--state", server.state,
        ])
        expect(added, "+ user anna  uid: 2000, groups: [audio], password: (hidden)\n")
        let table = server.files.path("users.csv")
        try MadeUpImage.write("name,uid,password\nbob,2001,\ncara,two,\n,2002,\ndora,2003,plain\nbob,2004,\n", table)
        let wrong = try run(server, "user", "import", table)
        #expect(
            wrong.errorLines.map(String.init) == [
                "\(table):3:6: uid \"two\" is not a user id such as 2001", "\(table):4:1: a user needs a name",
                "\(table):5:11: password is neither none nor a password hash such as $y$… (yescrypt; make one with"
                    + " 'diskless user set NAME --password' or mkpasswd)",
                "\(table):6:1: user bob is given twice, first in line 2; give each its own name",
                "no user was added or changed",
            ],
            "\(wrong.errors)"
        )
        #expect(try run(server, "user", "list").output == "anna\t2000\t-\taudio\t-\t(hidden)\n")
        try MadeUpImage.write("name,uid,groups\nbob,2001,audio;video\ncara,2002,\n", table)
        #expect(try run(server, "user", "import", table).status == 0)
        refuse(
            try run(server, "user", "add", "eve", "uid=2001"),
            "Error: user eve: uid 2001 belongs to user bob already; give another one\n"
        )
        let exported = try run(server, "export", "--secrets").output
        let line = try #require(exported.split(separator: "\n").first { $0.contains("password: \"") })
        let hash = String(try #require(line.split(separator: "\"").last))
        let check = try server.run([
            "perl", "-e", "print crypt($ARGV[0], $ARGV[1]) eq $ARGV[1] ? 'same' : 'other'", "open sesame", hash,
        ])
        #expect(hash.hasPrefix("$y$") && check.output == "same", "\(hash) \(check)")
        var shown = server.log
        for words in [["export"], ["user", "show", "anna", "--json"], ["user", "list", "--json"]] {
            shown += try server.run([BuiltProgram.path] + words + ["--state", server.state]).output
        }
        #expect(!shown.contains("$y$") && !shown.contains("sesame"))
        for name in ["registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(server.state)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test func twoAppliesAtOnceAreOneAfterTheOther() throws {
        let server = try ServerProcess()
        try server.start()
        for (number, name) in ["a", "b"].enumerated() {
            let macs = (0..<500).map { index in
                let low = String(index, radix: 16)
                let digits = String(repeating: "0", count: 4 - low.count) + low
                return "  - {name: \(name)\(index), mac: 0200000\(number)\(digits)}\n"
            }
            try MadeUpImage.write("nodes:\n" + macs.joined(), server.files.path(name))
        }
        let both = try server.run([
            "sh", "-c",
            "\"$0\" apply \"$1\" --prune --state \"$3\" & \"$0\" apply \"$2\" --prune --state \"$3\"; wait",
            BuiltProgram.path, server.files.path("a"), server.files.path("b"), server.state,
        ])
        #expect(both.status == 0, "\(both.errors)")
        let names = try run(server, "node", "list").output.split(separator: "\n").compactMap(\.first)
        #expect(names.count == 500 && Set(names).count == 1, "one of the files, whole: \(names.count), \(Set(names))")
    }

    @Test func aBackupIsMadeAndRestoredWhileTheServerRuns() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        _ = try run(server, "node", "add", "megane", "--mac", Self.mac, "--image", "debian")
        _ = try run(server, "user", "add", "anna", "--password-hash", "$6$salt$" + String(repeating: "a", count: 86))
        _ = try server.client("curl", "-sS", Self.script)
        try MadeUpImage.write("a loader", "\(server.state)/loaders/own.efi")
        let before = try run(server, "export", "--secrets").output
        let file = server.files.path("backup.tar")
        #expect(try run(server, "backup", file).status == 0)
        #expect(try run(server, "backup", file).status == 1, "an existing file is not overwritten")
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        _ = try run(server, "node", "rm", "megane")
        _ = try run(server, "user", "rm", "anna")
        _ = try run(server, "profile", "add", "new", "image=debian")
        try FileManager.default.removeItem(atPath: "\(server.state)/loaders/own.efi")
        #expect(try run(server, "export", "--secrets").output != before)
        let restored = try run(server, "restore", file)
        expect(restored, "restored; 3 entries of the fleet differ from before\n")
        #expect(try run(server, "export", "--secrets").output == before)
        #expect(try server.client("curl", "-sS", Self.script).output.contains("megane boots debian@1"))
        #expect(FileManager.default.fileExists(atPath: "\(server.state)/loaders/own.efi"))
        let left = try FileManager.default.contentsOfDirectory(atPath: server.state).filter { $0.contains("-") }
        let usual: Set = [
            "nfs-handles.key", "nfs-clients", "nfs-replies", "registry.sqlite-wal", "registry.sqlite-shm",
        ]
        #expect(Set(left) == usual, "nothing is left over")
        // What is restored is on stable storage.
        server.kill()
        try server.start()
        #expect(try run(server, "export", "--secrets").output == before)
        // On a computer of its own, that has nothing yet.
        let other = try ServerProcess()
        try other.publish("debian")
        try other.start()
        #expect(try run(other, "restore", file).status == 0)
        #expect(try run(other, "export", "--secrets").output == before)
        refuse(
            try run(other, "restore", "\(server.state)/lock"),
            "Error: tar: This does not look like a tar archive\n"
        )
    }
}
