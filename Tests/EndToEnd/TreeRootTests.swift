import Foundation
import Testing
import VirtualLab

/// Roots that are directory trees over NFS, and the server killed under them.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct TreeRootTests {
    /// A root of its own on the server: packages are installed, the server is killed while it writes, and everything is
    /// there after a reboot and after the image below was updated.
    @Test(.timeLimit(.minutes(25)))
    func aKeptTreeOutlivesServerRebootAndUpdate() throws {
        let lab = try EndToEndLab(
            "nfs-keep",
            images: [.ram],
            fleet: Self.fleet("kim", "root: {via: nfs, writes: keep}")
        )
        defer { lab.lab.close() }
        let kim = try lab.node("kim", number: 1)
        try kim.machine.powerOn()
        try kim.login()
        #expect(try kim.run("findmnt -no FSTYPE,OPTIONS /").hasPrefix("nfs"))
        #expect(try kim.run("cat /etc/hostname; cat /etc/machine-id | wc -c") == "kim\n33", "its overlay files")
        let boot = try lab.server.boot(of: "kim")
        #expect(
            boot.passed("script", "kernel", "initramfs", "initramfs-started", "root-connected", "root-mounted", "up")
        )
        try kim.installPackage()
        try kim.writeThroughKills(of: lab)
        try kim.run("echo kept >/root/kept; rm /etc/motd; sync")

        try lab.server.addVersion(of: .ram)
        try kim.machine.powerCycle()
        try kim.login()
        #expect(try kim.run("cat /proc/cmdline").contains("diskless.writes=keep"))
        #expect(try lab.server.boot(of: "kim").passed("root-mounted", "up"))
        #expect(try kim.run("cat /root/kept; ls /etc/motd 2>&1 || true").contains("kept\nls: cannot access"))
        #expect(try kim.run("diskless-test-tool") == "installed")
        #expect(try kim.run("cat /version-two") == "2")
        try kim.checkFiles()
        #expect(try kim.rootErrors() == "")
    }

    static func fleet(_ name: String, _ settings: String, number: UInt64 = 1) -> String {
        "nodes:\n  - {name: \(name), mac: [\"\(EndToEndLab.mac(number))\"], image: e2e, \(settings)}\n"
    }
}

/// The same with the other kinds of tree; each boot is one kind.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct TreeRootMatrixTests {
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["none", "ram", "cow", "shared"]))
    func aTreeOutlivesTheServer(writes: String) throws {
        let lab = try EndToEndLab(
            "nfs-\(writes)",
            images: [.ram],
            fleet: TreeRootTests.fleet("tess", "root: {via: nfs, writes: \(writes)}")
        )
        defer { lab.lab.close() }
        let tess = try lab.node("tess", number: 1)
        try tess.machine.powerOn()
        try tess.login()
        #expect(try tess.run("cat /etc/hostname; cat /etc/machine-id | wc -c") == "tess\n33", "its overlay files")
        let type = try tess.run("findmnt -no FSTYPE /")
        #expect(type == (writes == "ram" ? "overlay" : "nfs"))
        #expect(try lab.server.boot(of: "tess").passed("root-connected", "root-mounted", "up"))
        guard writes != "none" else {
            #expect(try tess.run("touch /root/file 2>&1 || true").contains("Read-only file system"))
            return try tess.readThroughKills(of: lab)
        }
        try tess.writeThroughKills(of: lab)
        try tess.run("echo mine >/root/mine; sync")
        try tess.machine.powerCycle()
        try tess.login()
        #expect(try tess.run("cat /root/mine 2>/dev/null || echo gone") == (writes == "shared" ? "mine" : "gone"))
        #expect(try tess.rootErrors() == "")
    }
}
