import CLinux
import Foundation
import Testing

/// The server with the rights that its systemd unit leaves it: everything that nodes do in their trees must work.
@Suite(
    .enabled(if: TestNetwork.isPossible && ServiceUnit.canBePlayed, "needs root, ip, setpriv, mksquashfs and python3"),
    .boundedWait
) struct ServiceUnitTests {
    private static let address = "10.77.0.2"

    /// A server whose image has a tree, confined as its unit says.
    private func confinedServer(_ preparation: String = ":") throws -> ServerProcess {
        let server = try ServerProcess()
        let tree = server.files.path("tree")
        // The right of ping(8) from Debian, as it is kept on disk: version 2, effective, CAP_NET_RAW.
        let right = "bytes.fromhex('0100000200200000000000000000000000000000')"
        let made = try server.run([
            "sh", "-ec",
            """
            mkdir -p \(tree)/usr/bin \(tree)/var/mail; cd \(tree)
            echo ping >usr/bin/ping; ln usr/bin/ping usr/bin/ping4; echo wall >usr/bin/wall
            python3 -c "import os; os.setxattr('usr/bin/ping', 'security.capability', \(right))"
            mksquashfs . ../root.squashfs -quiet -no-progress
            """,
        ])
        try #require(made.status == 0, "\(made)")
        try MadeUpImage.publish("debian", state: server.state, rootSize: 0, root: server.files.path("root.squashfs"))
        server.preparation = preparation
        server.confinement = try ServiceUnit().confinement(state: server.state)
        try server.start()
        // Commands beside it are the administrator's.
        server.preparation = ":"
        return server
    }

    private func steps(_ server: ServerProcess, in path: String, _ steps: KeyValuePairs<String, String>) throws {
        let mounted = try server.calls("mount", Self.address, path)
        try #require(mounted.hasPrefix("0 "), "\(path): \(mounted); \(server.log)")
        let output = try server.calls("steps", Self.address, [String(mounted.dropFirst(2))] + steps.map(\.key))
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.count == steps.count)
        for (line, step) in zip(lines, steps) { #expect(line == step.value, "\(path): \(step.key)") }
    }

    /// What packages do when they are installed, as root of a node.
    @Test(arguments: ["cow", "keep", "shared"]) func packagesAreInstalledOnRoots(writes: String) throws {
        let server = try confinedServer()
        let boot = try server.bootNode(
            """
            nodes:
              - {name: megane, mac: ["\(TestNetwork.clientMAC)"], image: debian, root: {via: nfs, writes: \(writes)}}
            """
        )
        let (path, folder) =
            switch writes {
            case "cow": ("/roots/megane/\(boot)", "roots/megane/\(boot)")
            case "keep": ("/nodes/megane/root/\(boot)", "nodes/megane/root")
            default: ("/shared/debian@1/\(boot)", "shared/debian@1/tree")
            }
        try steps(
            server,
            in: path,
            [
                "chown var/mail 0:8": "0", "chmod var/mail 2775": "0", "stat var/mail": "d 2775 0:8 0:0",
                "chown usr/bin/wall 0:5": "0", "chmod usr/bin/wall 2755": "0", "stat usr/bin/wall": "- 2755 0:5 0:0",
                "create usr/bin/new 755": "0", "chown usr/bin/new 0:999": "0", "chmod usr/bin/new 2755": "0",
                "stat usr/bin/new": "- 2755 0:999 0:0",
                "create usr/bin/su 755": "0", "chown usr/bin/su 10:999": "0", "chmod usr/bin/su 6755": "0",
                "stat usr/bin/su": "- 6755 10:999 0:0",
                "mkdir srv 755": "0", "device srv/null 1:3": "0", "stat srv/null": "c 600 0:0 1:3",
                // So dpkg keeps the old file until the new one has its name.
                "link usr/bin/ping usr/bin/ping.dpkg-tmp": "0", "chmod usr/bin/ping4 700": "0",
                "stat usr/bin/ping": "- 700 0:0 0:0",
                "mkdir home 1777": "0", "user 1000": "0", "create home/mine 644": "0", "write home/mine text": "0",
                "read home/mine": "text", "stat home/mine": "- 644 1000:1000 0:0", "chmod usr/bin/wall 755": "1",
            ]
        )
        var value = [UInt8](repeating: 0, count: 64)
        let upper = "\(server.state)/\(folder)/upper/usr/bin/ping.dpkg-tmp"
        let count = unsafe getxattr(upper, "security.capability", &value, value.count)
        #expect(count == 20, "the file's own right was copied with it")
    }

    /// A directory that the fleet names to be written is written, wherever in the file system it lies.
    @Test func directoriesThatTheFleetNamesAreWritten() throws {
        let places = ["/srv", "/home", "/mnt", "/media", "/opt", "/var/tmp"]
        let fifo = "/run/diskless-late"
        // On disks of the test's own. The last one comes while the server runs: a disk that is mounted late.
        let server = try confinedServer(
            """
            set -e; mount --make-rshared /; mount -t tmpfs -o mode=755 none /run
            for place in \(places.joined(separator: " ")); do
                mount -t tmpfs -o mode=755 none $place; mkdir $place/data $place/late; chmod 1777 $place/data
            done
            mkfifo \(fifo)
            timeout 300 sh -c 'read line <\(fifo); for place in \(places.joined(separator: " ")); do
                mount -t tmpfs -o mode=1777 none $place/late; done; echo done >\(fifo)' >/dev/null 2>&1 & :
            """
        )
        let mounts = places.flatMap { place in
            ["data", "late"].map { "{nfs: \(place)/\($0), at: \(place)/\($0), mode: rw}" }
        }
        // What the server sees as its own /run, without entering its mounts.
        let view = "/proc/\(server.process)/root"
        let late = try server.run(
            ["sh", "-c", "echo now >\(view)\(fifo); read line <\(view)\(fifo); echo $line"],
            limit: 20
        )
        #expect(late.output == "done\n", "\(late)")
        _ = try server.bootNode(
            """
            users:
              - {name: anna, uid: 1001, home: /home/data/anna}
            nodes:
              - {name: megane, mac: ["\(TestNetwork.clientMAC)"], image: debian, mounts: [\(mounts.joined(separator: ", "))]}
            """
        )
        for place in places {
            for folder in ["data", "late"] {
                try steps(
                    server,
                    in: "/mounts\(place)/\(folder)",
                    [
                        "user 1000": "0", "create mine 644": "0", "write mine text": "0", "read mine": "text",
                        "stat mine": "- 644 1000:1000 0:0", "mkdir team 755": "0", "chmod team 2750": "0",
                        "stat team": "d 2750 1000:1000 0:0",
                    ]
                )
            }
            let type = try server.run(["stat", "-f", "-c", "%T", "\(view)\(place)/late"])
            #expect(type.output == "tmpfs\n")
        }
        // The home of a user is made by the server itself.
        try steps(server, in: "/mounts/home/data", ["stat anna": "d 700 1001:1001 0:0"])
    }

    /// Programs that the server starts have its rights: a snapshot of a root is what the root is.
    @Test func snapshotsKeepWhatFilesHave() throws {
        let server = try confinedServer()
        #expect(try server.diskless("node", "add", "megane", "--mac", TestNetwork.clientMAC).status == 0)
        let own = "\(server.state)/nodes/megane"
        let right = "bytes.fromhex('0100000200200000000000000000000000000000')"
        let made = try server.run([
            "sh", "-ec",
            """
            mkdir -p \(own)/root/upper/mail \(own)/root/work; cd \(own)/root/upper; echo ping >ping; echo wall >wall
            chown 1000:8 mail; chmod 2775 mail; chown 0:5 wall; chmod 2755 wall
            python3 -c "import os; os.setxattr('ping', 'security.capability', \(right))
            os.setxattr('mail', 'trusted.overlay.opaque', b'y')"
            """,
        ])
        try #require(made.status == 0, "\(made)")
        let words = [BuiltProgram.path, "node", "snapshot", "megane", "good", "--state-directory", server.state]
        let taken = try server.run(words)
        #expect(taken.status == 0, "\(taken)")
        let found = try server.run([
            "sh", "-ec",
            """
            cd \(own)/snapshots/good/root/upper; stat -c '%n %u:%g %a' mail wall
            python3 -c "import os; print(os.listxattr('ping'), os.listxattr('mail'))"
            """,
        ])
        let expected = "mail 1000:8 2775\nwall 0:5 2755\n['security.capability'] ['trusted.overlay.opaque']\n"
        #expect(found.output == expected, "\(found)")
    }

    /// An image is mounted from a loop device, and nodes make devices of any kind in their trees.
    @Test func devicesAreAllowed() throws {
        #expect(try !ServiceUnit().hasFewDevices)
    }

    /// systemd itself understands each line.
    @Test(.enabled(if: NBDClientProgram.isThere("systemd-analyze"), "systemd-analyze is missing (systemd)"))
    func systemdReadsTheUnit() throws {
        let files = try TemporaryFiles()
        let unit = files.path("diskless.service")
        let prefix = BuiltProgram.path.split(separator: "/").dropLast().joined(separator: "/")
        let text = try String(contentsOf: ServiceUnit.file, encoding: .utf8)
            .replacing("@PREFIX@/bin", with: "/" + prefix)
            .replacing("Documentation=man:diskless(1) man:diskless-serve(1)\n", with: "")
        try text.write(toFile: unit, atomically: false, encoding: .utf8)
        let outcome = try NBDClientProgram.run(
            [NBDClientProgram.place(of: "systemd-analyze") ?? "", "verify", unit],
            in: files
        )
        #expect(outcome.status == 0 && !outcome.output.contains("diskless.service"), "\(outcome.output)")
    }
}
