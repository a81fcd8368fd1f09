import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// What version 4.2 adds, asked for by Linux's own client of a tree that lies on btrfs.
///
/// Each operation is counted by that client: when it does the same by READ and WRITE instead, the test fails.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct NewOperationMatrixTests {
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["operations-4.2"]))
    func operationsOfVersionTwo(row: String) throws {
        let clients = "mounts: [{nfs: \(Repository.path("Tests/Clients")), at: /mnt, mode: ro}]"
        let settings = "image: e2e-build, root: {via: nfs, writes: ram}, \(clients)"
        let lab = try EndToEndLab(
            row,
            images: [.build],
            fleet: "nodes:\n  - {name: nina, mac: [\"\(EndToEndLab.mac(1))\"], \(settings)}\n"
        )
        defer { lab.lab.close() }
        let disks = try Disks(lab)
        defer { disks.stop() }
        let nina = try lab.node("nina", number: 1)
        try nina.machine.powerOn()
        try nina.login()
        try nina.prepareForSharing()
        try nina.mountTree(disks.source, at: "/srv", version: "4.2")

        try reserve(nina, disks)
        try punch(nina, disks)
        try seek(nina)
        try copy(nina)
        try reflink(nina, disks)
        try keepAttributes(nina, disks)
        #expect(try nina.rootErrors() == "")
        #expect(try nina.reclaimErrors() == "")
    }

    /// ALLOCATE: room is reserved by one call, and no byte is written.
    private func reserve(_ nina: Node, _ disks: Disks) throws {
        try nina.run("truncate -s 1M /srv/room")
        try nina.expect(["ALLOCATE": 1...2], without: ["WRITE"], in: "fallocate -l 8M /srv/room")
        #expect(try nina.run("stat -c '%s %b' /srv/room") == "\(8 << 20) \(8 << 11)")
        // What is reserved already need not be again.
        try nina.expect(["ALLOCATE": 1...2], without: ["WRITE"], in: "fallocate -o 2M -l 4M /srv/room")
        #expect(try disks.run("stat -c '%s %b' room") == "\(8 << 20) \(8 << 11)")
        let full = try nina.run("fallocate -l 4G /srv/huge 2>&1 || true")
        #expect(full.contains("No space left on device"), "\(full)")
        try nina.run("rm -f /srv/huge")
    }

    /// DEALLOCATE: a hole is made where data was, and all around it stays.
    private func punch(_ nina: Node, _ disks: Disks) throws {
        try nina.run("head -c 4M /dev/urandom >/run/holes; cp /run/holes /srv/holes; sync /srv/holes")
        try nina.expect(["DEALLOCATE": 1...1], without: ["WRITE"], in: "fallocate -p -o 1M -l 1M /srv/holes")
        try nina.run("fallocate -p -o 1M -l 1M /run/holes")
        let wanted = try nina.run("sha256sum </run/holes")
        #expect(try nina.run("echo 3 >/proc/sys/vm/drop_caches; sha256sum </srv/holes") == wanted)
        #expect(try disks.run("sha256sum <holes") == wanted)
        #expect(try nina.run("stat -c '%s %b' /srv/holes") == "\(4 << 20) \(3 << 11)")
    }

    /// SEEK: programs learn of the server where data and holes are, and copies skip the holes.
    private func seek(_ nina: Node) throws {
        try nina.run("truncate -s 16M /srv/sparse")
        try nina.run("dd if=/run/holes of=/srv/sparse bs=64k seek=64 count=1 conv=notrunc,fsync")
        let seek = "python3 /run/extents.py seek"
        let (data, end) = (4 << 20, 4 << 20 | 64 << 10)
        let answers = try nina.expect(
            ["SEEK": 6...6],
            without: ["READ"],
            in: "\(seek) data /srv/sparse 0; \(seek) hole /srv/sparse 0; \(seek) data /srv/sparse \(data + 5);"
                + " \(seek) hole /srv/sparse \(data); \(seek) data /srv/sparse \(end); \(seek) hole /srv/sparse \(end)"
        )
        #expect(answers == "\(data)\n0\n\(data + 5)\n\(end)\nENXIO\n\(end)")
        try nina.run("echo 3 >/proc/sys/vm/drop_caches")
        // 64 KiB of data are a call or two, 16 MiB would be sixteen.
        try nina.expect(["SEEK": 2...8, "READ": 1...4], without: [], in: "cp --reflink=never /srv/sparse /run/sparse")
        #expect(try nina.run("cmp /srv/sparse /run/sparse && stat -c %b /run/sparse") == "128")
    }

    /// COPY: 70 MiB, which are more than one call copies, go from file to file without passing the network.
    private func copy(_ nina: Node) throws {
        try nina.run(
            "cat /run/holes /run/holes >/run/more; for n in 1 2 3 4 5 6 7 8 9; do cat /run/more; done >/srv/big; sync /srv/big",
            limit: .seconds(180)
        )
        let size = 9 * 8 << 20
        let copy = "python3 /run/extents.py copy"
        let whole = try nina.expect(
            ["COPY": 2...4],
            without: ["READ", "WRITE", "CLONE"],
            in: "\(copy) /srv/big 0 \(size) /srv/copied 0"
        )
        #expect(whole == "\(size)")
        // Parts, at odd places, within what is there already.
        let part = try nina.expect(
            ["COPY": 1...2],
            without: ["READ", "WRITE", "CLONE"],
            in: "\(copy) /srv/holes 1000001 300001 /srv/copied 77"
        )
        #expect(part == "300001")
        try nina.run("dd if=/run/holes of=/run/part iflag=skip_bytes,count_bytes skip=1000001 count=300001")
        try nina.run("cp /srv/big /run/big; dd if=/run/part of=/run/big oflag=seek_bytes seek=77 conv=notrunc")
        try nina.run("echo 3 >/proc/sys/vm/drop_caches; cmp /srv/copied /run/big; rm /run/big", limit: .seconds(120))
    }

    /// CLONE: two files share what is on the disk until one of them is written.
    private func reflink(_ nina: Node, _ disks: Disks) throws {
        try nina.expect(
            ["CLONE": 1...1],
            without: ["READ", "WRITE", "COPY"],
            in: "cp --reflink=always /srv/big /srv/clone"
        )
        try nina.run("echo 3 >/proc/sys/vm/drop_caches; cmp /srv/big /srv/clone", limit: .seconds(120))
        // The whole of it is shared on the disk.
        #expect(try disks.run("sync -f .; btrfs filesystem du --raw -s clone | tail -n 1 | awk '{ print $2 }'") == "0")
        let sum = try disks.run("sha256sum <big")
        try nina.run("dd if=/run/part of=/srv/clone conv=notrunc,fsync")
        #expect(try disks.run("sha256sum <big") == sum, "what it is a clone of stays")
        #expect(try disks.run("head -c 300001 clone | sha256sum") == nina.run("sha256sum </run/part"))
    }

    /// Extended attributes: each side sees those of the other.
    private func keepAttributes(_ nina: Node, _ disks: Disks) throws {
        let program = "python3 /run/extents.py"
        try disks.run("python3 \(Repository.path("Tests/Clients/extents.py")) set room user.from server")
        let got = try nina.expect(
            ["GETXATTR": 1...1, "LISTXATTRS": 1...2],
            without: [],
            in: "\(program) get /srv/room user.from; \(program) list /srv/room"
        )
        // The client shows the access list of the file as an attribute, too.
        #expect(got == "server\nsystem.nfs4_acl user.from")
        let set = try nina.expect(
            ["SETXATTR": 4...4, "REMOVEXATTR": 2...2],
            without: [],
            in: "\(program) set /srv/room user.note 'of the client'; \(program) create /srv/room user.note x;"
                + " \(program) replace /srv/room user.from both; \(program) remove /srv/room user.none;"
                + " \(program) set /srv/room user.gone x; \(program) remove /srv/room user.gone"
        )
        #expect(set == "None\nEEXIST\nNone\nENODATA\nNone\nNone")
        let here = "python3 \(Repository.path("Tests/Clients/extents.py"))"
        #expect(try disks.run("\(here) get room user.note; \(here) get room user.from") == "of the client\nboth")
        // Copies with all their attributes, as archives and backups want them.
        try nina.run("cp --preserve=xattr /srv/room /srv/twin")
        #expect(try nina.run("\(program) get /srv/twin user.note") == "of the client")
    }
}

/// Another computer of the lab, with a disk of btrfs that it serves with `diskless serve nfs`.
private final class Disks {
    /// Where its disk is mounted, which it alone sees.
    let folder: String
    /// What clients mount.
    let source: String

    private let host: LabHost
    private let process: LabProcess
    private let disk: String

    init(_ lab: EndToEndLab) throws {
        host = try lab.lab.host("disks", address: IPv4Address(value: lab.lab.server.address.value + 9))
        (folder, disk) = ("\(lab.lab.directory)/disks", "\(lab.lab.directory)/disks.img")
        source = "\(host.address):\(folder)"
        let script = """
            rm -f \(disk); truncate -s 1G \(disk); mkfs.btrfs -q \(disk); mkdir -p \(folder) \(folder).state
            mount -o loop \(disk) \(folder)
            exec \(Repository.program ?? "") serve nfs \(folder) --writable --squash none --state \(folder).state --listen \(host.address):2049
            """
        process = try host.start(["unshare", "-m", "sh", "-ec", script], log: "\(folder).log")
        try process.output.wait(for: "serving", limit: .seconds(30))
    }

    /// Runs a command there, in the folder.
    @discardableResult
    func run(_ command: String) throws -> String {
        try host.run(["nsenter", "-m", "-t", "\(process.id)", "bash", "-ec", "cd \(folder); \(command)"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func stop() {
        process.signal(SIGTERM)
        process.waitForExit(limit: .seconds(10))
        try? FileManager.default.removeItem(atPath: disk)
    }
}

extension Node {
    /// Runs a command during which the client of `/srv` makes so many calls of these operations, and none of those.
    @discardableResult
    fileprivate func expect(
        _ wanted: [String: ClosedRange<Int>],
        without: [String],
        in command: String,
        location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let names = wanted.keys + without
        let before = try names.map { try calls($0, at: "/srv") }
        let text = try run(command, limit: .seconds(120))
        for (name, count) in zip(names, before) {
            let made = try calls(name, at: "/srv") - count
            let range = wanted[name] ?? 0...0
            #expect(range.contains(made), "\(name): \(made) calls instead of \(range)", sourceLocation: location)
        }
        return text
    }
}
