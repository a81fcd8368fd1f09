import Foundation
import Testing
import VirtualLab

/// Volumes, state, mounts and swap of nodes whose image comes over NBD.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct VolumeTests {
    /// A volume of its own, a file under `state:`, a shared home, memory and swap: what is kept and what is not.
    @Test(.timeLimit(.minutes(25)))
    func aNodeKeepsWhatItShallKeep() throws {
        let home = Repository.path("build/e2e/home")
        try? FileManager.default.removeItem(atPath: home)
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let common = """
            swap: 256M, state: [/etc/ssh, /var/lib/kept], volatile: [/var/log], \
            mounts: [{nfs: \(home), at: /home, mode: rw}, {tmpfs: /srv/scratch, size: 8M}]
            """
        let fleet = """
            nodes:
              - {name: vera, mac: ["\(EndToEndLab.mac(1))"], image: e2e, volume: 1G, root: {via: nbd, writes: keep}, \(common)}
              - {name: rob, mac: ["\(EndToEndLab.mac(2))"], image: e2e, root: {via: nbd, writes: ram}, \(common)}
            """
        let lab = try EndToEndLab("volume", images: [.ram], fleet: fleet)
        defer { lab.lab.close() }
        _ = unsafe chmod(home, 0o1777)
        let (vera, rob) = (try lab.node("vera", number: 1), try lab.node("rob", number: 2))
        for node in [vera, rob] {
            try node.machine.powerOn()
            try node.login()
        }
        for node in [vera, rob] {
            #expect(try node.run("cat /etc/hostname") == node.name, "its overlay files")
            #expect(try node.run("findmnt -no FSTYPE /") == "overlay")
            #expect(try node.run("stat -fc %T /srv/scratch /var/log | sort -u") == "tmpfs")
            #expect(try node.run("findmnt -no FSTYPE /home") == "nfs4")
            #expect(try node.run("findmnt -no FSTYPE /etc/ssh") == "nfs")
            #expect(try node.run("awk '/^SwapTotal/ {print int($2 / 1000)}' /proc/meminfo") == "262")
            try node.run("echo \(node.name) >/var/lib/kept/name; echo \(node.name) >/root/own; echo 1 >/var/log/line")
            try node.run("su -s /bin/sh nobody -c 'echo \(node.name) >/home/\(node.name)'; sync")
        }
        // One home for both, where their root is nobody special.
        #expect(try rob.run("cat /home/vera; stat -c %U /home/vera") == "vera\nnobody")
        #expect(try rob.run("touch /home/root; stat -c %U /home/root") == "nobody")
        let keys = try [vera, rob].map { try $0.run("cat /etc/ssh/ssh_host_ed25519_key.pub") }
        #expect(keys[0] != keys[1])

        try vera.installPackage()
        try vera.run("mkdir -p /opt/l /opt/u /opt/w /opt/m && echo low >/opt/l/f")
        try vera.run("mount -t overlay -o lowerdir=/opt/l,upperdir=/opt/u,workdir=/opt/w none /opt/m 2>&1 || true")
        try vera.writeThroughKills(of: lab)
        try vera.run("umount /opt/m 2>/dev/null; sync")

        try lab.server.addVersion(of: .ram)
        // A node that runs is neither copied nor reset, and a backup leaves its volume out by name.
        for words in [("snapshot", "vera", "torn"), ("reset", "rob", "--all"), ("restore", "vera", "torn")] {
            let said = try refusal(lab, words.0, words.1, words.2)
            #expect(said.contains("node \(words.1) is running: switch it off before the \(words.0)"), "\(said)")
        }
        #expect(try backup(lab) == ["rob/state", "vera/state"])
        try cutPower(lab, [vera, rob])
        try snapshots(lab, [vera, rob])
        for node in [vera, rob] {
            try node.machine.powerOn()
            try node.login()
        }
        #expect(try vera.run("cat /root/own; sh -c diskless-test-tool; cat /version-two") == "vera\ninstalled\n2")
        #expect(try rob.run("cat /root/own 2>/dev/null || echo gone") == "gone")
        for (node, key) in zip([vera, rob], keys) {
            #expect(try node.run("cat /var/lib/kept/name") == node.name)
            #expect(try node.run("cat /etc/ssh/ssh_host_ed25519_key.pub") == key)
            #expect(try node.run("cat /var/log/line 2>/dev/null || echo gone") == "gone")
            #expect(try node.rootErrors() == "")
        }
        try vera.checkFiles()

        try cutPower(lab, [vera, rob])
        let kept = ["rob/snapshots", "rob/state", "vera/snapshots", "vera/state", "vera/volume"]
        #expect(try backup(lab) == kept)
        _ = try diskless(lab, "node", "reset", "rob", "--state")
        _ = try diskless(lab, "node", "reset", "vera", "--root")
        let left = try diskless(lab, "node", "state").split(separator: "\n").map { $0.prefix { $0 != "." } }
        #expect(try !diskless(lab, "node", "state", "rob").contains("rob\tstate"), "\(left)")
        #expect(try !diskless(lab, "node", "state", "vera").contains("vera\tvolume"), "\(left)")
        #expect(try diskless(lab, "node", "state", "vera").contains("vera\tstate"), "\(left)")
        #expect(try diskless(lab, "node", "state", "vera").contains("vera\tsnapshot good"), "\(left)")
    }

    private func diskless(_ lab: EndToEndLab, _ arguments: String...) throws -> String {
        let program = try #require(Repository.program)
        return try lab.lab.server.run(
            [program] + arguments + ["--state-directory", lab.server.state],
            limit: .seconds(120)
        )
    }

    /// Cuts the power of these nodes, and waits until the server has seen that they are gone, and is old enough to be sure.
    private func cutPower(_ lab: EndToEndLab, _ nodes: [Node]) throws {
        for node in nodes { node.machine.powerOff() }
        let begin = ContinuousClock.now
        for node in nodes {
            #expect(try refusal(lab, "snapshot", node.name, "torn").contains("node \(node.name) is running"))
        }
        func wait(_ problem: String, while condition: () throws -> Bool) throws {
            while try condition() {
                try #require(ContinuousClock.now - begin < .seconds(75), "\(problem)")
                usleep(500_000)
            }
        }
        for node in nodes {
            try wait("\(node.name) is off and still counts as running") {
                try diskless(lab, "node", "state", node.name).contains("running")
            }
            // A server that has just started waits for nodes that may still run. There is no such snapshot.
            try wait("\(node.name) may still run") {
                try refusal(lab, "restore", node.name, "torn").contains("this server started")
            }
        }
        print("nodes without power counted as off after \(ContinuousClock.now - begin)")
    }

    /// What `diskless node WORDS` says beside, when it must fail.
    private func refusal(_ lab: EndToEndLab, _ words: String...) throws -> String {
        let program = try #require(Repository.program)
        let script = #""$@" 2>&1 >/dev/null && echo 'it did not fail' || true"#
        return try lab.lab.server.run(
            ["sh", "-c", script, "sh", program, "node"] + words + ["--state-directory", lab.server.state],
            limit: .seconds(120)
        )
    }

    /// What a backup made now holds of the nodes: `vera/volume`.
    private func backup(_ lab: EndToEndLab) throws -> [String] {
        let file = "\(lab.server.state)/../volume-backup.tar"
        defer { try? FileManager.default.removeItem(atPath: file) }
        _ = try diskless(lab, "backup", file, "--force")
        let names = try lab.lab.server.run(["tar", "--list", "--file", file], limit: .seconds(60))
        return Set(
            names.split(separator: "\n").compactMap { name -> String? in
                let parts = name.split(separator: "/")
                return parts.count > 2 && parts[0] == "nodes" ? "\(parts[1])/\(parts[2])" : nil
            }
        ).sorted()
    }

    /// Copies what is kept for nodes that are off, spoils it, and puts it back.
    private func snapshots(_ lab: EndToEndLab, _ nodes: [Node]) throws {
        let own = "\(lab.server.state)/nodes"
        for node in nodes {
            _ = try diskless(lab, "node", "snapshot", node.name, "good")
            #expect(try diskless(lab, "node", "state", node.name).contains("\(node.name)\tsnapshot good"))
        }
        let script = """
            find \(own)/rob/state \(own)/vera/state -name name -exec sh -c 'echo spoiled >"$1"' sh {} ';'
            dd if=/dev/zero of=\(own)/vera/volume bs=1M count=32 conv=notrunc status=none
            """
        try lab.lab.server.run(["sh", "-ec", script], limit: .seconds(60))
        for node in nodes { _ = try diskless(lab, "node", "restore", node.name, "good") }
    }
}

/// One writer on a shared image, the image file on NFS, and the whole image in memory.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct VolumeMatrixTests {
    /// Container programs lay overlays over their own directory, which must not be an overlay; and the volume grows, under the
    /// running node and at its next boot.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["volume-containers"]))
    func aVolumeCarriesContainersAndGrows(row: String) throws {
        let fleet = TreeRootTests.fleet("dora", "volume: 1G, root: {via: nbd, writes: keep}")
        let lab = try EndToEndLab(row, images: [.ram], fleet: fleet)
        defer { lab.lab.close() }
        let dora = try lab.node("dora", number: 1)
        try dora.machine.powerOn()
        try dora.login()
        try dora.run("cd /var/lib/docker && mkdir -p l u w m && echo low >l/f && cd /")
        try dora.run("cd /var/lib/docker && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none m && cd /")
        try dora.run("echo changed >/var/lib/docker/m/f; echo new >/var/lib/docker/m/g")
        try dora.writeThroughKills(of: lab)
        #expect(try dora.run("cat /var/lib/docker/m/f /var/lib/docker/l/f /var/lib/docker/u/g") == "changed\nlow\nnew")
        try dora.run("umount /var/lib/docker/m; sync")
        #expect(try dora.rootMegabytes() < 1024)
        try growWhileItWrites(dora, lab, fleet)
        dora.machine.powerOff()
        try lab.server.apply(fleet.replacing("volume: 1G", with: "volume: 3G"))
        try dora.machine.powerOn()
        try dora.login()
        #expect(try dora.rootMegabytes() > 2600)
        #expect(try dora.run("cat /var/lib/docker/u/f") == "changed")
        try dora.checkFiles()
        #expect(try dora.rootErrors() == "")
    }

    /// The server is killed when the device has just grown and its file system has not, and again while the node follows a
    /// second growth.
    private func growWhileItWrites(_ node: Node, _ lab: EndToEndLab, _ fleet: String) throws {
        func until(_ condition: String) throws {
            let script = "for n in $(seq 400); do \(condition) && break; sleep 0.2; done"
            try node.run("\(script); \(condition) || { dmesg | tail -n 12; false; }", limit: .seconds(240))
        }
        func restart() throws {
            lab.server.kill()
            node.pass(.seconds(2), in: lab)
            try lab.server.start()
        }
        try node.startLoad()
        try lab.server.apply(fleet.replacing("volume: 1G", with: "volume: 2G"))
        try until("[ $(cat /sys/block/nbd1/size) -gt 4000000 ]")
        try restart()
        try lab.server.apply(fleet.replacing("volume: 1G", with: "volume: 2500M"))
        try restart()
        try until("[ $(df -m --output=size / | tail -n 1) -gt 2300 ]")
        try node.finishLoad()
        try node.checkFiles()
        let sizes = "dmesg | sed -n 's/.*diskless: nbd1 has grown to \\([0-9]*\\) bytes/\\1/p'"
        #expect(try node.run(sizes) == "2147483648\n2621440000")
        #expect(
            try node.run("dmesg | grep 'file system of nbd1 ' | tail -n 1").hasSuffix("has grown to 2621440000 bytes")
        )
        #expect(try node.run("dmesg | grep 'does not grow\\|at the next boot' || true") == "")
        #expect(try node.rootErrors() == "")
        // What is new is there to be written, and is what was written.
        try node.run("fallocate -l 1200M /root/filler; head -c 200M /dev/urandom >/root/large", limit: .seconds(240))
        try node.run("sha256sum /root/large >/run/sum; sync; echo 3 >/proc/sys/vm/drop_caches", limit: .seconds(240))
        try node.run("sha256sum --quiet -c /run/sum && rm /root/large /root/filler", limit: .seconds(240))
    }

    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["e2e-ext4"]))
    func aSharedImageHasOneWriter(image: String) throws {
        let fleet = """
            nodes:
              - {name: wim, mac: ["\(EndToEndLab.mac(1))"], image: \(image), root: {via: nbd, writes: shared}}
              - {name: zoe, mac: ["\(EndToEndLab.mac(2))"], image: \(image), root: {via: nbd, writes: shared}}
            """
        let lab = try EndToEndLab("shared", images: [.writable], fleet: fleet)
        defer { lab.lab.close() }
        let wim = try lab.node("wim", number: 1)
        try wim.machine.powerOn()
        try wim.login()
        #expect(try wim.run("cat /etc/hostname") == "wim", "its overlay files")
        let zoe = try lab.node("zoe", number: 2)
        try zoe.machine.powerOn()
        try zoe.console.wait(for: "node wim writes to it: one writer at a time", limit: .seconds(120))
        zoe.machine.powerOff()
        #expect(try lab.server.boot(of: "zoe").kinds.contains("refuse"))
        try wim.writeThroughKills(of: lab)
        try wim.run("echo mine >/root/mine; sync")
        try wim.machine.powerCycle()
        try wim.login()
        #expect(try wim.run("cat /root/mine") == "mine")
        try wim.checkFiles()
        #expect(try wim.rootErrors() == "")
    }

    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["none", "ram", "keep"]))
    func theImageFileOnNFS(writes: String) throws {
        try boot("nfs-image", writes)
    }

    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["ram", "keep"]))
    func theImageWholeInMemory(writes: String) throws {
        try boot("ram", writes)
    }

    /// A disk that nobody writes; SurvivalTests boot `ram` and `cow`, VolumeTests `keep`.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["nbd-none"]))
    func aDiskThatNobodyWrites(row: String) throws {
        try boot("nbd", "none")
    }

    private func boot(_ via: String, _ writes: String) throws {
        let lab = try EndToEndLab(
            "\(via)-\(writes)",
            images: [.ram],
            fleet: TreeRootTests.fleet("ines", "root: {via: \(via), writes: \(writes)}")
        )
        defer { lab.lab.close() }
        let ines = try lab.node("ines", number: 1)
        try ines.machine.powerOn()
        try ines.login()
        #expect(try ines.run("cat /etc/hostname") == "ines", "its overlay files")
        // Also where nothing may be written: the overlay files are a layer above the image.
        #expect(try ines.run("findmnt -no FSTYPE /") == "overlay")
        #expect(try lab.server.boot(of: "ines").passed("root-mounted", "up"))
        if writes == "none" {
            try ines.readThroughKills(of: lab)
        } else {
            try ines.writeThroughKills(of: lab)
        }
        guard writes == "keep" else { return }
        try ines.machine.powerCycle()
        try ines.login()
        try ines.checkFiles()
        #expect(try ines.rootErrors() == "")
    }
}
