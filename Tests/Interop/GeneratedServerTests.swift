import BootModel
import CLinux
import Foundation
import Testing

/// What `diskless generate` prints for machines of other people's servers that have the roots.
@Suite(.enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"), .boundedWait)
struct GeneratedServerTests {
    /// nbd-server with the generated file has the images' root files, byte for byte and read-only.
    ///
    /// The second state directory has in its name what nbd-server could take for something else.
    @Test(
        .enabled(
            if: ["nbd-server", "nbdinfo", "qemu-img", "qemu-io"].allSatisfy(NBDClientProgram.isThere),
            "nbd-server, libnbd-bin or qemu-utils is missing"
        ),
        arguments: ["state", "50%s full\\x"]
    ) func nbdServerHasTheRoots(name: String) throws {
        let server = try ServerProcess()
        let state = server.files.path(name)
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try MadeUpImage.publish("debian", state: state, rootSize: 1 << 20)
        try MadeUpImage.publish("debian", state: state, rootSize: 3 << 20)
        try MadeUpImage.publish("rescue", state: state, rootSize: 2 << 20, rootFormat: .ext4)
        let generated = try server.run([BuiltProgram.path, "generate", "nbd-server", "--state", state])
        #expect(generated.status == 0 && generated.errors.isEmpty, "\(generated.errors)")
        let configuration = server.files.path("nbd-server.conf")
        try generated.output.write(toFile: configuration, atomically: false, encoding: .utf8)

        // It goes into the background: all of it ends with the first process of its namespace.
        let script = "nbd-server -C \(configuration) -p /run/nbd-server.pid; exec tail -f /dev/null"
        let log = server.files.path("nbd-server.log")
        let foreign = try ClientProcess(
            ["unshare", "-mpf", "--mount-proc", "--kill-child", "sh", "-c", "mount -t tmpfs none /run; \(script)"],
            in: server.network.server,
            log: log
        )
        defer { foreign.kill() }
        let url = "nbd://\(ServerProcess.address):10809"
        try server.wait("nbd-server does not listen: \(NBDClientProgram.text(log))") {
            try server.run(["ss", "-Hlnt", "sport = 10809"]).output.contains("10809")
        }
        let list = try server.client("nbdinfo", "--list", url)
        let exports = list.output.split(separator: "\n").filter { $0.hasPrefix("export=") }
        let expected = ["debian@1", "debian@2", "rescue@1"].map { "export=\"\($0)\":" }
        #expect(exports.map(String.init).sorted() == expected, "\(list)")
        for (image, number) in [("debian", 1), ("debian", 2), ("rescue", 1)] {
            let export = "\(url)/\(image)@\(number)"
            let root = "\(state)/images/\(image)/\(number)/root.squashfs"
            let compared = try server.client("qemu-img", "compare", "-f", "raw", "-F", "raw", export, root)
            #expect(compared.status == 0 && compared.output == "Images are identical.\n", "\(export): \(compared)")
            let written = try server.client("qemu-io", "-f", "raw", "-c", "write 0 512", export)
            #expect(written.status != 0, "\(export): \(written)")
        }
        #expect(try server.client("nbdinfo", "--size", "\(url)/debian@3").status != 0)
    }

    private static let fleet = """
        networks:
          - {name: lab, interface: \(TestNetwork.interface), subnet: 10.77.0.0/24}
          - {name: far, interface: \(TestNetwork.interface), subnet: 10.78.0.0/16}
        profiles:
          - name: guests
            selectors: [{mac: "02:00:00"}]
            mounts: [{nfs: /srv/guests, at: /home, mode: rw, server: 10.77.0.9}]
          - name: seat
            root: {via: nfs, writes: ram, server: 10.77.0.9}
            mounts:
              - {nfs: /srv/tools, at: /opt, mode: ro, server: 10.77.0.9}
              - {nfs: /srv/home, at: /home, mode: rw}
              - {tmpfs: /scratch}
        nodes:
          - {name: reader, mac: ["52:54:00:77:00:01"], image: debian, profiles: [seat]}
          - name: writer
            mac: ["52:54:00:77:00:02"]
            image: rescue
            root: {via: nfs-image, server: 10.77.0.9}
            mounts: [{nfs: /srv/tools, at: /opt, mode: rw, server: 10.77.0.9}]
          - name: other
            mac: ["52:54:00:77:00:03"]
            image: debian
            mounts: [{nfs: '/srv/"a" #1 (b\\c)', at: /data, mode: ro, server: 10.77.0.8}]
        """

    /// Each version has a number of its own for file handles, which stays when others come and go; a directory may be
    /// written when one of its nodes may, and what this server itself has is not exported.
    @Test func exportsSayWhatNodesMount() throws {
        let server = try ServerProcess()
        for name in ["debian", "debian", "rescue"] { try server.publish(name) }
        try server.start([])
        try MadeUpImage.write(Self.fleet, server.files.path("fleet.yaml"))
        let applied = try server.diskless("apply", server.files.path("fleet.yaml"))
        #expect(applied.status == 0, "\(applied.errors)")
        let who = { (options: String) in "10.77.0.0/24(\(options)) 10.78.0.0/16(\(options))" }
        func version(_ image: String, _ number: Int, _ tree: String, _ files: String) -> String {
            let folder = "\(server.state)/images/\(image)/\(number)"
            return """
                # \(image)@\(number)
                #   mkdir -p /images/\(image)@\(number) /files/\(image)@\(number)
                #   mount -o loop,ro \(folder)/root.squashfs /images/\(image)@\(number)
                #   mount --bind \(folder) /files/\(image)@\(number)
                /images/\(image)@\(number) \(who("ro,no_root_squash,no_subtree_check,mp,fsid=\(tree)"))
                /files/\(image)@\(number) \(who("ro,root_squash,no_subtree_check,mp,fsid=\(files)"))


                """
        }
        let debian1 = version(
            "debian",
            1,
            "9848bcf8-d169-fc44-fb7d-5f3894dbf848",
            "fcb546b6-d350-873e-0c07-d49078e02e9d"
        )
        let debian2 = version(
            "debian",
            2,
            "ec48b2b3-97cb-f96e-bbb5-c346e06a9f1f",
            "b7cbe8c8-b454-ed87-3a50-503edb54c939"
        )
        let rest =
            version(
                "rescue",
                1,
                "34365cf5-7929-f843-a8b3-e0db956db6ad",
                "1f784170-be3f-d4b4-ac61-04c5f9f23780"
            ) + """
                # mounts whose server is 10.77.0.8
                /srv/\\042a\\042\\040\\0431\\040\\050b\\134c\\051 \(who("ro,root_squash,no_subtree_check"))

                # mounts whose server is 10.77.0.9
                /srv/guests \(who("rw,root_squash,no_subtree_check"))
                /srv/tools \(who("rw,root_squash,no_subtree_check"))

                """
        let head = """
            # exports(5) of the kernel's NFS server, for nodes whose root.server is this machine. What stands behind "#   "
            # is to be run there at each start, before the server.


            """
        let exports = try server.diskless("generate", "exports")
        #expect(exports.errors.isEmpty && exports.output == head + debian1 + debian2 + rest)
        #expect(try server.diskless("image", "rm", "debian@1").status == 0)
        #expect(try server.diskless("generate", "exports").output == head + debian2 + rest)
        let chosen = try server.diskless("generate", "exports", "--clients", "10.0.0.1, lab.example")
        #expect(chosen.output.contains("\n/srv/tools 10.0.0.1(rw,root_squash,no_subtree_check) lab.example(rw,"))
        for clients in ["", "a(rw)", "\"a"] {
            let refused = try server.diskless("generate", "exports", "--clients", clients)
            #expect(refused.status != 0 && refused.output.isEmpty, "\(clients)")
        }
    }

    /// exportfs(8) reads the file, once what it says was run, on a computer of the test's own as far as its files go.
    ///
    /// No kernel's server took part.
    @Test(
        .enabled(
            if: NBDClientProgram.isThere("exportfs") && ServiceUnit.canBePlayed,
            "exportfs (nfs-kernel-server) or mksquashfs is missing"
        )
    ) func exportfsReadsTheExports() throws {
        let server = try ServerProcess()
        let folder = server.files.path("tree")
        let made = try server.run([
            "sh", "-ec", "mkdir \(folder); echo text >\(folder)/file; mksquashfs \(folder) \(folder).squashfs -quiet",
        ])
        #expect(made.status == 0, "\(made)")
        try MadeUpImage.publish("debian", state: server.state, rootSize: 0, root: folder + ".squashfs")
        try server.start([])
        try MadeUpImage.write(Self.fleet.replacing("rescue", with: "debian"), server.files.path("fleet.yaml"))
        #expect(try server.diskless("apply", server.files.path("fleet.yaml")).status == 0)
        let generated = try server.diskless("generate", "exports")
        try MadeUpImage.write(generated.output, server.files.path("exports"))
        let top = server.files.path("top")
        // The layer lies in memory: /images and /files are made in it.
        let outside = """
            mkdir \(top); mount -t tmpfs none \(top); mkdir \(top)/upper \(top)/work \(top)/root
            mount -t overlay -o lowerdir=/,upperdir=\(top)/upper,workdir=\(top)/work none \(top)/root
            for place in dev sys; do mount --rbind /$place \(top)/root/$place; done
            mount -t proc none \(top)/root/proc; mount -t tmpfs none \(top)/root/var/lib/nfs
            exec chroot \(top)/root sh -ec "$0"
            """
        let inside = """
            mkdir -p /srv/guests /srv/tools '/srv/"a" #1 (b\\c)'; : >/var/lib/nfs/etab; : >/var/lib/nfs/rmtab
            cp \(server.files.path("exports")) /etc/exports
            sed -n 's/^#   //p' /etc/exports | sh -e
            cat /images/debian@1/file; cmp /files/debian@1/root.squashfs \(server.state)/images/debian/1/root.squashfs
            \(NBDClientProgram.place(of: "exportfs") ?? "exportfs") -ra
            cat /var/lib/nfs/etab
            """
        let read = try server.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-ec", outside, inside],
            in: server.network.client
        )
        #expect(read.status == 0 && read.errors.isEmpty, "\(read)")
        let lines = read.output.split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(lines.first == ["text"], "\(read)")
        // The form of etab: the path with its spaces as \040, a tab, the client with every option.
        let paths = lines.dropFirst().map { String($0[0]) }
        #expect(
            Set(paths) == [
                "/images/debian@1", "/files/debian@1", "/srv/guests", "/srv/tools",
                "/srv/\\042a\\042\\040\\0431\\040(b\\134c)",
            ],
            "\(paths)"
        )
        #expect(lines.dropFirst().count == 10, "two subnets each")
        for line in lines.dropFirst() {
            let (path, options) = (line[0], line.last ?? "")
            #expect(options.hasPrefix("10.77.0.0/24(") || options.hasPrefix("10.78.0.0/16("), "\(line)")
            let isWritable = path == "/srv/guests" || path == "/srv/tools"
            #expect(options.contains(isWritable ? "(rw," : "(ro,"), "\(line)")
            #expect(options.contains(path.hasPrefix("/images/") ? ",no_root_squash" : ",root_squash"), "\(line)")
            #expect(options.contains(",fsid=") == !path.hasPrefix("/srv/"), "\(line)")
            #expect(options.contains(",no_subtree_check"), "\(line)")
        }
    }
}
