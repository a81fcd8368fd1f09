import Foundation
import NetworkTypes
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

    static func fleet(_ name: String, _ settings: String, number: UInt64 = 1, image: TestImage = .ram) -> String {
        "nodes:\n  - {name: \(name), mac: [\"\(EndToEndLab.mac(number))\"], image: \(image.name), \(settings)}\n"
    }
}

/// The same with the other kinds of tree and the other versions; each boot is one kind.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct TreeRootMatrixTests {
    private static let rows =
        ["none", "ram", "cow", "shared"].map { "3 \($0)" }
        + ["4.2", "4.1", "4.0"].flatMap { version in ["keep", "shared", "cow", "ram"].map { "\(version) \($0)" } }

    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(rows))
    func aTreeOutlivesTheServer(row: String) throws {
        let words = row.split(separator: " ").map(String.init)
        let (version, writes) = (words[0], words[1])
        let lab = try EndToEndLab(
            "nfs-\(version)-\(writes)",
            images: [.ram],
            fleet: TreeRootTests.fleet("tess", "root: {via: nfs, writes: \(writes), version: \(version)}")
        )
        defer { lab.lab.close() }
        let tess = try lab.node("tess", number: 1)
        try tess.machine.powerOn()
        try tess.login()
        #expect(try tess.run("cat /etc/hostname; cat /etc/machine-id | wc -c") == "tess\n33", "its overlay files")
        let type = try tess.run("findmnt -no FSTYPE /")
        // Where nothing may be written, the overlay files are a layer above the tree.
        #expect(type == (writes == "ram" || writes == "none" ? "overlay" : version == "3" ? "nfs" : "nfs4"))
        #expect(try tess.run("grep -c ' nfs.*vers=\(version),' /proc/mounts") == "1")
        #expect(try lab.server.boot(of: "tess").passed("root-connected", "root-mounted", "up"))
        guard writes != "none" else {
            #expect(try tess.run("touch /root/file 2>&1 || true").contains("Read-only file system"))
            return try tess.readThroughKills(of: lab)
        }
        // A lock that is held over the server's restarts is the holder's afterwards.
        try tess.run(
            "touch /root/lock; (exec 9>/root/lock; flock 9; : >/run/held; sleep 86400) </dev/null >/dev/null 2>&1 &"
        )
        try tess.run("while [ ! -e /run/held ]; do sleep 0.1; done")
        try tess.writeThroughKills(of: lab)
        #expect(try tess.run("flock -n /root/lock echo free || echo held") == "held")
        try tess.run("echo mine >/root/mine; sync")
        #expect(try tess.reclaimErrors() == "")
        try tess.machine.powerCycle()
        try tess.login()
        let isKept = writes == "shared" || writes == "keep"
        #expect(try tess.run("cat /root/mine 2>/dev/null || echo gone") == (isKept ? "mine" : "gone"))
        if isKept { try tess.checkFiles() }
        #expect(try tess.rootErrors() == "")
        #expect(try tess.reclaimErrors() == "")
    }

    /// The root of one machine lies on another one, which knows nothing of diskless machines.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["4.2", "4.1"]))
    func theRootOfAnotherServer(version: String) throws {
        let lab = try EndToEndLab("nfs-elsewhere-\(version)", images: [.ram])
        defer { lab.lab.close() }
        let other = try lab.lab.host("nas", address: IPv4Address(value: lab.lab.server.address.value + 9))
        let image = try TestImage.ram.directory()
        let name = "e2e@\(image.split(separator: "/").last ?? "1")"
        let folder = "\(lab.lab.directory)/nas"
        // A computer of its own as far as its files go: there the image lies under the path that `explain` names.
        let script = """
            mkdir -p \(folder)/top; mount -t tmpfs none \(folder)/top
            mkdir \(folder)/top/upper \(folder)/top/work \(folder)/top/root
            mount -t overlay -o lowerdir=/,upperdir=\(folder)/top/upper,workdir=\(folder)/top/work none \(folder)/top/root
            for place in proc dev sys; do mount --rbind /$place \(folder)/top/root/$place; done
            mkdir -p \(folder)/top/root/images/\(name) \(folder)/top/root/run/nas
            mount -o loop,ro \(image)/root.squashfs \(folder)/top/root/images/\(name)
            mkdir -p \(folder)/top/root/bin; cp \(Repository.program ?? "") \(folder)/top/root/run/nas/diskless
            exec chroot \(folder)/top/root /run/nas/diskless serve nfs /images/\(name) --squash none --state /run/nas --listen \(other.address):2049
            """
        let nas = try other.start(["unshare", "-m", "sh", "-ec", script], log: "\(folder).log")
        defer { nas.signal(SIGTERM) }
        try lab.server.apply(
            TreeRootTests.fleet("nora", "root: {via: nfs, writes: ram, server: \(other.address), version: \(version)}")
        )
        let nora = try lab.node("nora", number: 1)
        try nora.machine.powerOn()
        try nora.login()
        #expect(try nora.run("findmnt -no FSTYPE /") == "overlay")
        #expect(
            try nora.run("grep -c '^\(other.address):/images/\(name) .* nfs.*vers=\(version),' /proc/mounts") == "1"
        )
        #expect(try lab.server.boot(of: "nora").passed("root-mounted", "up"))
        #expect(try nora.run("sha256sum /usr/bin/dpkg | wc -l") == "1")
    }

    /// It may be a server of another make, with the configuration that is written for it.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["nbd-server"]))
    func theRootOfNBDServer(row: String) throws {
        let lab = try EndToEndLab("nbd-elsewhere", images: [.ram])
        defer { lab.lab.close() }
        let other = try lab.lab.host("nas", address: IPv4Address(value: lab.lab.server.address.value + 9))
        let (configuration, number) = ("\(lab.lab.directory)/nas.conf", "\(lab.lab.directory)/nas.pid")
        let program = try #require(Repository.program)
        try lab.lab.server.run(["\(program)", "generate", "nbd-server", "--state", lab.server.state])
            .write(toFile: configuration, atomically: false, encoding: .utf8)
        try other.run(["nbd-server", "-C", configuration, "-p", number])
        defer { _ = try? other.run(["sh", "-c", "kill $(cat \(number))"]) }
        try lab.server.apply(
            TreeRootTests.fleet("nora", "root: {via: nbd, writes: ram, server: \(other.address)}")
        )
        let nora = try lab.node("nora", number: 1)
        try nora.machine.powerOn()
        try nora.login()
        #expect(try nora.run("findmnt -no FSTYPE /") == "overlay")
        #expect(try lab.server.boot(of: "nora").passed("root-mounted", "up"))
        let image = try TestImage.ram.file("root.squashfs")
        let size = try lab.lab.server.run(["stat", "-c", "%s", image]).filter(\.isNumber)
        let sum = try lab.lab.server.run(["sha256sum", image], limit: .seconds(60)).prefix(64)
        let read = try nora.run("head -c \(size) /dev/nbd0 | sha256sum", limit: .seconds(240)).prefix(64)
        #expect(read == sum, "every byte of it")
        #expect(try nora.rootErrors() == "")
    }
}
