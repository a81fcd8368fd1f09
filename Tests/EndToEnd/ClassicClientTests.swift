import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// What tests of NFS clients have always run, on two nodes whose roots are trees of ours: random operations, locks of
/// databases, compilers, version control, many small files; and the Connectathon suite where it was compiled for us
/// (`scripts/cthon`, folder in `DISKLESS_CTHON`).
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct ClassicClientMatrixTests {
    @Test(.timeLimit(.minutes(40)), arguments: Repository.whole(["4.2", "3"]))
    func classicPrograms(version: String) throws {
        let both = Repository.path("build/e2e/both-\(version)")
        try? FileManager.default.removeItem(atPath: both)
        try FileManager.default.createDirectory(atPath: both, withIntermediateDirectories: true)
        _ = unsafe chmod(both, 0o1777)
        defer { try? FileManager.default.removeItem(atPath: both) }
        try FileManager.default.copyItem(atPath: Repository.path("Tests/Clients/fsx.py"), toPath: "\(both)/fsx.py")
        // Root of a node is nobody there.
        #expect(FileManager.default.createFile(atPath: "\(both)/lock", contents: nil))
        _ = unsafe chmod("\(both)/lock", 0o666)
        let common =
            "image: e2e-build, root: {via: nfs, writes: keep, version: \(version)}, mounts: [{nfs: \(both), at: /mnt, mode: rw, version: \(version)}]"
        let lab = try EndToEndLab(
            "classic-\(version)",
            images: [.build],
            fleet: """
                nodes:
                  - {name: anna, mac: ["\(EndToEndLab.mac(1))"], \(common)}
                  - {name: bert, mac: ["\(EndToEndLab.mac(2))"], \(common)}
                """
        )
        defer { lab.lab.close() }
        let (anna, bert) = (try lab.node("anna", number: 1), try lab.node("bert", number: 2))
        for node in [anna, bert] { try node.machine.powerOn() }
        for node in [anna, bert] { try node.login() }

        try exerciseFiles(anna, bert)
        // What one node has locked another cannot lock, but with version 3, where each knows of its own locks alone.
        try anna.run("(flock -n 9 && : >/run/locked && sleep 9999) 9<>/mnt/lock </dev/null >/dev/null 2>&1 &")
        try anna.run("until [ -e /run/locked ]; do sleep 1; done")
        #expect(try bert.run("flock -n /mnt/lock true; echo $?") == (version == "3" ? "0" : "1"))
        try lockDatabase(anna)
        try useProject(anna)
        try compareTree(anna, in: lab)
        for node in [anna, bert] {
            #expect(try node.rootErrors() == "")
            #expect(try node.reclaimErrors() == "")
        }
    }

    /// The distribution's `nbd-client` with four connections to a disk of another computer: what one wrote all see.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["nbd-client"]))
    func theDistributionsBlockClient(row: String) throws {
        let lab = try EndToEndLab(
            row,
            images: [.build],
            fleet:
                "nodes:\n  - {name: cleo, mac: [\"\(EndToEndLab.mac(1))\"], image: e2e-build, root: {via: nfs, writes: ram}}\n"
        )
        defer { lab.lab.close() }
        let other = try lab.lab.host("disks", address: IPv4Address(value: lab.lab.server.address.value + 9))
        let (disk, log) = ("\(lab.lab.directory)/disk", "\(lab.lab.directory)/disks.log")
        try other.run(["sh", "-ec", "rm -f \(disk); truncate -s 256M \(disk)"])
        defer { try? FileManager.default.removeItem(atPath: disk) }
        let disks = try other.start(
            [Repository.program ?? "", "serve", "nbd", disk, "--writable", "--listen", "\(other.address):10809"],
            log: log
        )
        defer { disks.signal(SIGTERM) }
        let cleo = try lab.node("cleo", number: 1)
        try cleo.machine.powerOn()
        try cleo.login()
        try cleo.run("modprobe nbd nbds_max=8; [ -b /dev/nbd5 ]")
        try cleo.run(
            "nbd-client \(other.address) 10809 /dev/nbd5 -N disk -C 4 -persist >/run/attach 2>&1; cat /run/attach"
        )
        #expect(try cleo.run("blockdev --getsize64 /dev/nbd5") == "\(256 << 20)")
        let begun = try String(contentsOfFile: log, encoding: .utf8).components(separatedBy: "NBD session begins").count
        #expect(begun > 4, "four connections")
        try cleo.run("mkfs.ext4 -q /dev/nbd5 && mkdir -p /run/disk && mount /dev/nbd5 /run/disk", limit: .seconds(120))
        try cleo.run(
            "cd /run/disk; for n in 1 2 3 4; do (for m in 1 2 3 4; do head -c 4000000 /dev/urandom >f$n$m; done;"
                + " : >/run/part$n) </dev/null & done; while [ $(ls /run/part? 2>/dev/null | wc -l) -lt 4 ]; do sleep 0.2; done;"
                + " sha256sum f?? >sums; cd /; umount /run/disk",
            limit: .seconds(240)
        )
        try cleo.run(
            "echo 3 >/proc/sys/vm/drop_caches; mount /dev/nbd5 /run/disk; cd /run/disk; sha256sum --quiet -c sums; cd /"
        )
        try cleo.run("umount /run/disk; nbd-client -d /dev/nbd5")
        try cleo.run("nbd-client \(other.address) 10809 /dev/nbd5 -N disk && fsck.ext4 -fn /dev/nbd5 >/run/check 2>&1")
        // That sockets were shut down is said of the disconnection itself.
        #expect(try cleo.run("dmesg | grep -E 'I/O error|EXT4-fs error' || true") == "")
    }

    /// 100,000 operations with two clients, each on a file of its own; each then reads the other's.
    private func exerciseFiles(_ anna: Node, _ bert: Node) throws {
        for (seed, node) in [anna, bert].enumerated() {
            let name = node.name
            try node.run(
                "(su -s /bin/sh nobody -c 'python3 /mnt/fsx.py /mnt/\(name) 50000 \(seed) /mnt/\(name).sum'"
                    + " >/run/fsx 2>&1; echo $? >/run/fsx.end) </dev/null &"
            )
        }
        for node in [anna, bert] {
            try node.run("while [ ! -e /run/fsx.end ]; do sleep 1; done", limit: .seconds(900))
            #expect(try node.run("cat /run/fsx /run/fsx.end").hasSuffix("bytes\n0"))
        }
        for (node, other) in [(anna, bert), (bert, anna)] {
            let sum = try node.run("sha256sum </mnt/\(other.name) | cut -c1-64; cat /mnt/\(other.name).sum").split(
                separator: "\n"
            )
            #expect(sum.count == 2 && sum[0] == sum[1])
        }
    }

    /// Two programs add rows to one database at the same time: none is lost.
    private func lockDatabase(_ node: Node) throws {
        try node.run("sqlite3 /root/base 'create table t(who text, n integer)'")
        for who in ["a", "b"] {
            try node.run(
                "(for n in $(seq 50); do sqlite3 -cmd '.timeout 60000' /root/base \"insert into t values('\(who)', $n)\" || echo bad;"
                    + " done >/run/sql-\(who) 2>&1; echo end >>/run/sql-\(who)) </dev/null &"
            )
        }
        for who in ["a", "b"] {
            try node.run("while ! grep -q end /run/sql-\(who); do sleep 1; done", limit: .seconds(400))
            #expect(try node.run("cat /run/sql-\(who)") == "end")
        }
        #expect(try node.run("sqlite3 /root/base 'select count(*) from t; pragma integrity_check'") == "100\nok")
    }

    /// A repository is made and cloned, a program compiled and run.
    private func useProject(_ node: Node) throws {
        try node.run(
            "mkdir /root/p && cd /root/p && git init -q . && git config user.email a@b && git config user.name a"
        )
        try node.run(
            "cd /root/p; for n in $(seq 60); do echo \"int f$n(int x) { return x + $n; }\" >f$n.c; done;"
                + " (for n in $(seq 60); do echo \"int f$n(int);\"; done; echo '#include <stdio.h>';"
                + " echo 'int main(void) { printf(\"%d\\n\", f1(1) + f60(2)); return 0; }') >main.c;"
                + " printf 'p: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n\\tcc -o $@ $^\\n' >Makefile"
        )
        try node.run("cd /root/p && git add . && git commit -q -m one && git clone -q . /root/q", limit: .seconds(240))
        try node.run("cd /root/q && git fsck --full 2>/dev/null && make -s -j2 >/run/make 2>&1", limit: .seconds(400))
        #expect(try node.run("/root/q/p; cd /root/q && git status --short | grep -vc '\\.o$'") == "64\n1")
        try node.installPackage()
    }

    /// Every file of the image as the node sees it is what the server has.
    private func compareTree(_ node: Node, in lab: EndToEndLab) throws {
        try node.run("echo 3 >/proc/sys/vm/drop_caches")
        let seen = try node.run(
            "cd / && find usr -xdev -type f -print0 | sort -z | xargs -0 sha256sum | grep -v diskless-test | sha256sum | cut -c1-64",
            limit: .seconds(900)
        )
        let image = try TestImage.build.file("root.squashfs")
        let folder = "\(lab.lab.directory)/tree"
        let wanted = try lab.lab.server.run(
            [
                "sh", "-ec",
                "mkdir -p \(folder); unsquashfs -quiet -no-progress -d \(folder)/r \(image) usr >/dev/null; cd \(folder)/r;"
                    + " find usr -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64; rm -rf \(folder)",
            ],
            limit: .seconds(240)
        )
        #expect(seen == wanted.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// 100,000 files are found, and every byte of them is what the server has, with version 3 and with 4.2.
    @Test(.timeLimit(.minutes(90)), arguments: Repository.whole(["large-tree"]))
    func aHundredThousandFiles(row: String) throws {
        let folder = Repository.path("build/e2e/\(row)")
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let settings =
            "root: {via: nfs, writes: ram, version: 4.2}, mounts: [{nfs: \(folder), at: /mnt, mode: ro, version: 3}]"
        let lab = try EndToEndLab(
            row,
            images: [.build],
            fleet: "nodes:\n  - {name: lena, mac: [\"\(EndToEndLab.mac(1))\"], image: e2e-build, \(settings)}\n"
        )
        defer { lab.lab.close() }
        // 100 folders of 1000 files, of which no two are alike, from nothing to 3 KiB.
        let make = """
            import os, random, sys
            dice = random.Random(7)
            for folder in range(100):
                os.makedirs(f"{sys.argv[1]}/folder {folder}")
                for file in range(1000):
                    with open(f"{sys.argv[1]}/folder {folder}/{file:x} of\\n{folder}", "wb") as out:
                        out.write(b"" if file == 0 else b"%d %d" % (folder, file) + dice.randbytes(dice.randrange(3000)))
            """
        try lab.lab.server.run(["python3", "-c", make, folder], limit: .seconds(300))
        let sums =
            "find . -type f -print0 | sort -z | xargs -0 sha256sum >%/sums; wc -l <%/sums; sha256sum <%/sums | cut -c1-64"
        let wanted = try lab.lab.server.run(
            ["sh", "-ec", "cd \(folder); " + sums.replacing("%", with: lab.lab.directory)],
            limit: .seconds(300)
        )
        let node = try lab.node("lena", number: 1)
        try node.machine.powerOn()
        try node.login()
        for version in ["3", "4.2"] {
            if version != "3" {
                // The image has no mount.nfs, which would look the addresses up.
                try node.run(
                    "set -- $(grep ' /mnt ' /proc/mounts); umount /mnt; o=$(hostname -I); mount -i -t nfs4 -o"
                        + " ro,vers=\(version),addr=${1%%:*},clientaddr=${o%% *} $1 /mnt"
                )
            }
            #expect(try node.run("grep -c ' /mnt nfs.*vers=\(version),' /proc/mounts") == "1")
            let begin = ContinuousClock.now
            let seen = try node.run("cd /mnt && \(sums.replacing("%", with: "/run")); cd /", limit: .seconds(1200))
            print("NFS \(version): 100,000 files walked and read in \(ContinuousClock.now - begin)")
            #expect(seen.hasPrefix("100000"))
            #expect(seen == wanted.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        #expect(try node.rootErrors() == "")
        #expect(try node.reclaimErrors() == "")
    }

    /// The folder that `scripts/cthon` made.
    private static let suite = ProcessInfo.processInfo.environment["DISKLESS_CTHON"]

    /// The Connectathon suite on a root that is kept: basic, special, general and lock.
    @Test(.timeLimit(.minutes(25)), arguments: suite == nil ? [] : Repository.whole(["cthon-4.2", "cthon-3"]))
    func connectathon(row: String) throws {
        let version = row.dropFirst("cthon-".count)
        let folder = Repository.path("build/e2e/\(row)")
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: Self.suite ?? "", toPath: "\(folder)/cthon")
        let settings =
            "root: {via: nfs, writes: keep, version: \(version)}, mounts: [{nfs: \(folder), at: /mnt, mode: rw}]"
        let lab = try EndToEndLab(
            row,
            images: [.build],
            fleet: "nodes:\n  - {name: carl, mac: [\"\(EndToEndLab.mac(1))\"], image: e2e-build, \(settings)}\n"
        )
        defer { lab.lab.close() }
        let node = try lab.node("carl", number: 1)
        try node.machine.powerOn()
        try node.login()
        try node.run("cp -a /mnt/cthon /root/cthon; mkdir /root/t", limit: .seconds(120))
        for (part, command, word) in [
            ("basic", "NFSTESTDIR=/root/t/b sh runtests -f", "Congratulations, you passed the basic tests"),
            ("special", "sh runtests", "Special tests complete"),
            ("general", "PATH=$PATH:. CC=cc CFLAGS=-w sh runtests", "General tests complete"),
            (
                "lock",
                ": >../tests.init; NFSTESTDIR=/root/t LOCKTESTS='./tlocklfs ./tlock64' sh runtests -f",
                "Congratulations, you passed the locking tests"
            ),
        ] {
            let text = try node.run(
                "cd /root/cthon/\(part) && \(command) >/run/of-\(part) 2>&1; tail -n 3 /run/of-\(part); cd /",
                limit: .seconds(900)
            )
            #expect(text.contains(word), "\(part): \(text)")
        }
        #expect(try node.rootErrors() == "")
        #expect(try node.reclaimErrors() == "")
    }
}
