import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// Two nodes whose root is one tree: what one of them was promised about a file, locked or delegated, holds against the
/// other, also while the server is killed.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct SharedTreeMatrixTests {
    /// A file of the image, which nobody has written yet.
    private static let ofImage = "/usr/share/common-licenses/GPL-3"

    @Test(.timeLimit(.minutes(40)), arguments: Repository.whole(["sharing-4.2", "sharing-4.0"]))
    func twoNodesShareATree(row: String) throws {
        let version = String(row.dropFirst("sharing-".count))
        let lab = try Self.lab(row, version: version, nodes: ["anna", "bert"])
        defer { lab.lab.close() }
        let (anna, bert) = (try lab.node("anna", number: 1), try lab.node("bert", number: 2))
        try Self.boot([anna, bert], version: version)

        try openOften(anna, version)
        try recallFromReader(anna, bert)
        try recallFromWriter(anna, bert, in: lab)
        try recallAfterKill(anna, bert, in: lab)
        for node in [anna, bert] { #expect(try node.troubles() == "") }
        try lockThroughKill(anna, bert, in: lab)
        #expect(try anna.troubles() == "")
        #expect(try bert.troubles(waited: true) == "")
        if version != "4.0" { try tellWaiter(anna, bert, in: lab) }
        try loseHolder(bert, anna)
        #expect(try anna.troubles() == "")
    }

    /// One node writes what two others read, while the server is killed: nobody sees less than before, or half of it.
    @Test(.timeLimit(.minutes(40)), arguments: Repository.whole(["sharing-three"]))
    func twoReadWhatOneWrites(row: String) throws {
        let names = ["anna", "bert", "cleo"]
        let lab = try Self.lab(row, version: "4.2", nodes: names)
        defer { lab.lab.close() }
        let nodes = try names.enumerated().map { try lab.node($0.element, number: UInt64($0.offset) + 1) }
        try Self.boot(nodes, version: "4.2")
        let writer = nodes[0]
        try writer.run("mkdir /root/p; echo 0 >/run/pages.rounds; (python3 /run/pages.py write /root/p </dev/null &)")
        try writer.waitForPages(1)
        for reader in nodes[1...] {
            try reader.run("echo 0 >/run/pages.rounds; (python3 /run/pages.py read /root/p </dev/null &)")
        }
        for node in nodes { try node.waitForPages(9) }
        lab.server.kill()
        try lab.server.start()
        let begin = ContinuousClock.now
        for node in nodes { try node.waitForPages(9) }
        print("three nodes went on within \(ContinuousClock.now - begin) after a kill")
        // The writer ends first: what it left last, the others must have seen last.
        let ends = try nodes.map { try $0.finishPages() }
        #expect(Set(ends).count == 1, "\(ends)")
        for node in nodes {
            #expect(try node.run("cat /run/pages.error 2>/dev/null || true") == "")
            #expect(try node.troubles(waited: true) == "")
        }
    }

    /// A lab with nodes that share a root, and find the programs of Tests/Clients at /mnt.
    static func lab(_ row: String, version: String, nodes: [String]) throws -> EndToEndLab {
        let settings =
            "image: e2e-build, root: {via: nfs, writes: shared, version: \(version)},"
            + " mounts: [{nfs: \(Repository.path("Tests/Clients")), at: /mnt, mode: ro}]"
        let lines = nodes.enumerated().map { number, name in
            "  - {name: \(name), mac: [\"\(EndToEndLab.mac(UInt64(number) + 1))\"], \(settings)}\n"
        }
        return try EndToEndLab(row, images: [.build], fleet: "nodes:\n" + lines.joined())
    }

    static func boot(_ nodes: [Node], version: String) throws {
        for node in nodes { try node.machine.powerOn() }
        for node in nodes {
            try node.login()
            #expect(try node.run("grep -c ':/shared/.* / nfs4 .*vers=\(version),' /proc/mounts") == "1")
            try node.prepareForSharing()
        }
    }

    // MARK: Delegations

    /// A file that is opened again and again is asked for once; without delegations it would be each time.
    private func openOften(_ anna: Node, _ version: String) throws {
        let file = Self.ofImage
        try anna.run("read -r x <\(file)")
        let before = try anna.calls("OPEN", "OPEN_NOATTR")
        try anna.run("for n in {1..100}; do read -r x <\(file); done")
        let with = try anna.calls("OPEN", "OPEN_NOATTR") - before
        #expect(with < 20, "opened 100 times with \(with) calls")

        // The same of a tree that programs on the server change too: there are no delegations of it.
        let source = try anna.run("set -- $(grep ' /mnt ' /proc/mounts); echo $1; umount /mnt")
        try anna.mountTree(source, at: "/mnt", version: version, mode: "ro")
        let first = try anna.calls("OPEN", "OPEN_NOATTR", at: "/mnt")
        try anna.run("for n in {1..100}; do read -r x </mnt/locks.py; done")
        let without = try anna.calls("OPEN", "OPEN_NOATTR", at: "/mnt") - first
        #expect(without >= 100, "opened 100 times with \(without) calls")
        print("NFS \(version): a file opened 100 times: \(with) calls with a delegation, \(without) without")
    }

    /// Who reads holds a delegation; another one's write is let in when that was given back, and is seen by the reader.
    private func recallFromReader(_ anna: Node, _ bert: Node) throws {
        let file = Self.ofImage
        try anna.run("exec 8<\(file); read -r -u 8 x; read -r x <\(file)")
        let returned = try anna.calls("DELEGRETURN")
        let begin = ContinuousClock.now
        try bert.run("echo changed by bert >\(file)")
        let took = ContinuousClock.now - begin
        #expect(took < .seconds(20), "before the lease ended, which would have revoked it")
        #expect(try anna.calls("DELEGRETURN") > returned)
        #expect(try anna.run("exec 8<&-; cat \(file)") == "changed by bert")
        #expect(try bert.run("cat \(file)") == "changed by bert")
        print("a reader's delegation was recalled within \(took)")
    }

    /// A writer's delegation is recalled for a reader, and what the writer had only in its memory is there when it has closed.
    private func recallFromWriter(_ anna: Node, _ bert: Node, in lab: EndToEndLab) throws {
        // Nothing is written back because it has become old.
        try anna.run("echo 0 >/proc/sys/vm/dirty_writeback_centisecs")
        let sum = try anna.startDirtying("/root/dirty")
        #expect(try lab.sizeOfShared("/root/dirty") == 0, "the data has not left the node")
        let returned = try anna.calls("DELEGRETURN")
        let begin = ContinuousClock.now
        // Linux gives the delegation back and keeps its data until the file is closed, synced or unlocked.
        try bert.run("head -c 1 /root/dirty")
        let took = ContinuousClock.now - begin
        #expect(took < .seconds(20), "before the lease ended, which would have revoked it")
        #expect(try anna.calls("DELEGRETURN") > returned)
        try anna.closeDirty()
        #expect(try bert.run("sha256sum </root/dirty") == sum)
        print("a writer's delegation was recalled within \(took)")

        // Whoever opens the file after it was closed sees all of it, though its writer may have a delegation.
        let writes = try anna.calls("WRITE")
        for number in 1...5 {
            try anna.run("head -c 8M /dev/urandom >/run/dirty; cp /run/dirty /root/closed-\(number)")
            let seen = try bert.run("sha256sum </root/closed-\(number)")
            #expect(try anna.run("sha256sum </run/dirty") == seen, "\(number)")
        }
        #expect(try anna.calls("WRITE") > writes)
    }

    /// The same with the server killed in between: delegations are claimed back, and recalled when they are in the way.
    private func recallAfterKill(_ anna: Node, _ bert: Node, in lab: EndToEndLab) throws {
        let file = "/usr/share/common-licenses/GPL-2"
        try anna.run("exec 8<\(file); read -r -u 8 x; read -r x <\(file)")
        let sum = try anna.startDirtying("/root/dirty-kill")
        #expect(try lab.sizeOfShared("/root/dirty-kill") == 0, "the data has not left the node")
        let returned = try anna.calls("DELEGRETURN")
        lab.server.kill()
        try lab.server.start()
        let begin = ContinuousClock.now
        try bert.run("head -c 1 /root/dirty-kill", limit: .seconds(150))
        try bert.run("echo changed after the kill >\(file)", limit: .seconds(150))
        print("after a kill both recalls were over within \(ContinuousClock.now - begin)")
        #expect(try anna.calls("DELEGRETURN") >= returned + 2)
        #expect(try anna.run("exec 8<&-; cat \(file)") == "changed after the kill")
        try anna.closeDirty()
        #expect(try bert.run("sha256sum </root/dirty-kill") == sum)
    }

    // MARK: Locks

    /// Ranges and whole files are locked between nodes, over a restart of the server too, and until they are let go.
    private func lockThroughKill(_ anna: Node, _ bert: Node, in lab: EndToEndLab) throws {
        try anna.run("mkdir /root/l; for f in ranges whole; do head -c 128 /dev/zero >/root/l/$f; done")
        let (ranges, whole) = ("/root/l/ranges", "/root/l/whole")
        try anna.begin("a-write", of: ranges, "0:10 w")
        try anna.begin("a-read", of: ranges, "20:10 r")
        try anna.begin("a-whole", of: whole, "flock w")
        for hold in ["a-write", "a-read", "a-whole"] { #expect(try anna.waitUntilHeld(hold) == "nothing") }

        let wanted = [
            ("0:10 w", "refused"), ("5:1 r", "refused"), ("9:1 w", "refused"), ("10:10 w", "taken"),
            ("20:10 r", "taken"), ("29:1 w", "refused"), ("30:0 w", "taken"),
        ]
        func checkRefusals() throws {
            for (what, answer) in wanted { #expect(try bert.attempt(ranges, what) == answer, "\(what)") }
            #expect(try bert.attempt(whole, "flock w") == "refused")
            #expect(try bert.attempt(whole, "flock r") == "refused")
            #expect(try bert.run("python3 /run/locks.py ask \(ranges) 5:2 w") == "0:10 w")
            #expect(try bert.run("python3 /run/locks.py ask \(ranges) 22:2 w") == "20:10 r")
            #expect(try bert.run("python3 /run/locks.py ask \(ranges) 22:2 r") == "none")
        }
        let begin = ContinuousClock.now
        try checkRefusals()
        print("twelve questions for locks: \(ContinuousClock.now - begin)")
        let asked = try bert.calls("LOCK")
        try bert.begin("b-write", of: ranges, "0:10 w")
        try bert.begin("b-read", of: ranges, "20:10 w")
        try bert.begin("b-whole", of: whole, "flock w")
        try bert.run("until [ $(ops / LOCK) -ge \(asked + 3) ]; do sleep 0.2; done")

        lab.server.kill()
        try lab.server.start()
        // The first answer comes when the grace is over; then they are refused as before.
        let killed = ContinuousClock.now
        #expect(try bert.attempt(whole, "flock w", limit: .seconds(150)) == "refused")
        print("a lock was refused to others \(ContinuousClock.now - killed) after the restart")
        try checkRefusals()
        for hold in ["b-write", "b-read", "b-whole"] { #expect(try !bert.isHeld(hold), "\(hold)") }

        for (hold, next) in [("a-write", "b-write"), ("a-whole", "b-whole"), ("a-read", "b-read")] {
            #expect(try !bert.isHeld(next), "\(next)")
            try anna.release(hold)
            let begin = ContinuousClock.now
            // It sees what was written under the lock: it did not get it before.
            #expect(try bert.waitUntilHeld(next) == hold)
            print("\(next) had its lock within \(ContinuousClock.now - begin)")
            if next != "b-whole" { try bert.release(next) }
        }
        #expect(try anna.attempt(whole, "flock r") == "refused")
    }

    /// Who waits for a lock is told when it is free: by itself Linux asks after 1, 3, 7, 15 and then 31 s.
    private func tellWaiter(_ anna: Node, _ bert: Node, in lab: EndToEndLab) throws {
        let file = "/root/l/long"
        try anna.run("head -c 128 /dev/zero >\(file)")
        try anna.begin("a-long", of: file, "flock w")
        try anna.waitUntilHeld("a-long")
        try bert.begin("b-long", of: file, "flock w")
        bert.pass(.seconds(18), in: lab)
        #expect(try !bert.isHeld("b-long"))
        try anna.release("a-long")
        let begin = ContinuousClock.now
        #expect(try bert.waitUntilHeld("b-long") == "a-long")
        let took = ContinuousClock.now - begin
        #expect(took < .seconds(8))
        print("who had waited for 18 s had the lock within \(took)")
        try bert.release("b-long")
    }

    /// A holder without power keeps its lock until its lease is over.
    private func loseHolder(_ holder: Node, _ waiting: Node) throws {
        try waiting.begin("late", of: "/root/l/whole", "flock w")
        // Its lease begins anew with this.
        try holder.run("echo alive >/root/l/alive; sync /root/l/alive")
        holder.machine.powerOff()
        let begin = ContinuousClock.now
        #expect(try waiting.waitUntilHeld("late", limit: .seconds(150)) == "a-whole")
        let took = ContinuousClock.now - begin
        #expect(took > .seconds(28), "a lease of 30 s")
        print("a lock went over \(took) after its holder had lost its power")
        try waiting.release("late")
    }
}

extension Node {
    /// Has a program write 299999 bytes to a new file and keep it open; gives their checksum.
    fileprivate func startDirtying(_ file: String) throws -> String {
        try run("rm -f /run/unsaved-*; head -c 299999 /dev/urandom >/run/dirty")
        try run(
            "(python3 /run/unsaved.py /run/dirty \(file) </dev/null &); while [ ! -e /run/unsaved-written ]; do sleep 0.1; done"
        )
        return try run("sha256sum </run/dirty")
    }

    /// Has that program close the file.
    fileprivate func closeDirty() throws {
        try run("touch /run/unsaved-close; while [ ! -e /run/unsaved-closed ]; do sleep 0.1; done")
    }

    /// Waits until `pages.py` has done so many rounds more.
    fileprivate func waitForPages(_ more: Int) throws {
        try run(
            "a=$(cat /run/pages.rounds); until b=$(cat /run/pages.rounds); [ ${b:-0} -ge $((${a:-0} + \(more))) ]; do sleep 0.2; done",
            limit: .seconds(240)
        )
    }

    /// Ends `pages.py`; gives the number of the last round that it wrote or saw.
    fileprivate func finishPages() throws -> String {
        try run(
            "touch /run/pages.stop; while [ ! -s /run/pages.end ]; do sleep 0.2; done; cat /run/pages.end",
            limit: .seconds(120)
        )
    }

    /// What the kernel's log tells of a root or of states that were lost.
    fileprivate func troubles(waited: Bool = false) throws -> String {
        try rootErrors() + reclaimErrors(waited: waited)
    }
}

extension EndToEndLab {
    /// How many bytes of a file the server has, of the tree that all nodes of an image write to.
    fileprivate func sizeOfShared(_ path: String) throws -> Int? {
        let folder = "\(server.state)/shared"
        let image = try FileManager.default.contentsOfDirectory(atPath: folder).first ?? ""
        let file = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(image)/tree/upper\(path)")
        return file[.size] as? Int
    }
}
