import BootModel
import Foundation
import NetworkTypes
import OverlayFiles
import Testing

struct BuiltInSetTests {
    private let library = FileSetLibrary(directories: [])

    @Test func theBaseGivesANodeItsIdentity() throws {
        let tree = try library.tree(for: sampleBoot(), sets: ["base"])
        #expect(tree["etc/hostname"]?.text == "megane\n")
        let machineID = try #require(tree["etc/machine-id"]?.text)
        #expect(machineID.count == 33)
        #expect(machineID.dropLast().allSatisfy { $0.isHexDigit })
        #expect(tree["etc/ssh/ssh_host_ed25519_key"]?.permissions == 0o600)
        #expect(tree["etc/ssh/ssh_host_ed25519_key"]?.isSecret == true)
        #expect(
            tree["etc/ssh/ssh_host_ed25519_key.pub"]?.text == "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKk= root@megane\n"
        )
        #expect(
            tree["etc/systemd/resolved.conf.d/10-diskless.conf"]?.text?.contains("DNS=10.0.0.1\nDomains=lab.example")
                == true
        )
        #expect(tree["run/diskless/lib.sh"] != nil)
        let other = try library.tree(for: sampleBoot("twingo"), sets: ["base"])
        #expect(other["etc/machine-id"]?.text != machineID)
        #expect(try library.tree(for: sampleBoot(), sets: ["base"])["etc/machine-id"]?.text == machineID)
    }

    @Test func whatSaysNothingMakesNoFile() throws {
        let tree = try library.tree(for: sampleBoot(domain: nil), sets: ["base"])
        #expect(tree["etc/systemd/timesyncd.conf.d/10-diskless.conf"] == nil)
        #expect(tree["etc/chrony/sources.d/diskless.sources"] == nil)
    }

    @Test func mountsBecomeAnFstab() throws {
        var settings = Settings()
        settings.mounts = [
            .nfs(try #require(NodePath("/srv/my home")), at: try #require(NodePath("/home")), mode: .readWrite),
            .nfs(
                try #require(NodePath("/opt")),
                at: try #require(NodePath("/opt")),
                server: IPv4Address("10.0.0.9"),
                version: .v3
            ),
            .tmpfs(at: try #require(NodePath("/scratch")), size: ByteCount("1G"), mode: FileMode("1777")),
        ]
        let fstab = try library.tree(for: sampleBoot(settings: settings), sets: ["fstab"])["etc/fstab"]?.text
        let home = "10.0.0.1:/mounts/srv/my\\040home /home nfs noauto,rw,hard,nofail,_netdev,vers=4.2,port=2049 0 0"
        #expect(fstab?.contains("\n\(home)\n") == true)
        #expect(fstab?.contains("\n10.0.0.9:/opt /opt nfs noauto,ro,hard,nofail,_netdev,vers=3,nolock 0 0\n") == true)
        #expect(fstab?.contains("\ntmpfs /scratch tmpfs noauto,nosuid,nodev,mode=1777,size=1073741824 0 0\n") == true)
    }

    @Test func timeServersComeFromAVariable() throws {
        var settings = Settings()
        settings.variables = [try #require(VariableName("time_servers")): .text("ntp1.example ntp2.example")]
        let tree = try library.tree(for: sampleBoot(settings: settings), sets: ["time"])
        #expect(
            tree["etc/systemd/timesyncd.conf.d/10-diskless.conf"]?.text == "[Time]\nNTP=ntp1.example ntp2.example\n"
        )
        #expect(tree["etc/chrony/sources.d/diskless.sources"]?.text?.contains("server ntp2.example iburst\n") == true)
    }

    @Test func aDirectoryOfTheNameTakesThePlaceOfAPart() throws {
        let folder = try Folder()
        try folder.write("hostname/etc/hostname", "mine\n")
        let own = FileSetLibrary(directories: [folder.path])
        let tree = try own.tree(for: sampleBoot(), sets: ["base"])
        #expect(tree["etc/hostname"]?.text == "mine\n")
        #expect(tree["run/diskless/prepare.d/10-hosts"] == nil)
        #expect(tree["etc/machine-id"] != nil)
        #expect(own.names.contains("hostname"))
    }

    /// The scripts are read by busybox' shell on nodes; here at least its grammar must take them.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/sh")))
    func scriptsAreShell() throws {
        let folder = try Folder()
        let tree = try library.tree(for: sampleBoot(), sets: ["base"])
        for file in tree.files where file.path.hasPrefix("run/diskless/") {
            try folder.write("script", file.text ?? "")
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = ["-n", folder.path + "/script"]
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 0, "\(file.path)")
        }
    }
}
