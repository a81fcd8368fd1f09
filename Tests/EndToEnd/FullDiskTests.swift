import Foundation
import Testing
import VirtualLab

/// The server's disk is full under running nodes.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct FullDiskMatrixTests {
    /// A write over NBD waits, and one over NFS is told that there is no space; both go on when somebody made room.
    ///
    /// It waits because Linux would make a read-only root of any error, and it does so too for a server that was killed meanwhile.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["full-disk"]))
    func aFullDiskBreaksNoNode(row: String) throws {
        let fleet = """
            nodes:
              - {name: dora, mac: ["\(EndToEndLab.mac(1))"], image: e2e, volume: 1G, root: {via: nbd, writes: keep}}
              - {name: nora, mac: ["\(EndToEndLab.mac(2))"], image: e2e, root: {via: nfs, writes: keep}}
            """
        let lab = try EndToEndLab(row, images: [.ram], fleet: fleet)
        defer { lab.lab.close() }
        let filler = try giveSmallDisk(lab)
        let dora = try lab.node("dora", number: 1)
        let nora = try lab.node("nora", number: 2)
        for node in [dora, nora] { try node.machine.powerOn() }
        for node in [dora, nora] { try node.login() }
        for node in [dora, nora] { try node.run("sync; head -c 32M /dev/urandom >/run/wanted") }
        var events = try lab.server.watch()
        // Ends when nothing is left, not a byte for a log.
        try lab.lab.server.run(["sh", "-c", "dd if=/dev/zero of=\(filler) bs=64k status=none 2>&1 || true"])

        try dora.run(
            "rm -f /run/code; (cp /run/wanted /root/large && sync -f /root/large; echo $? >/run/code) </dev/null &"
        )
        try events.output.wait(for: "waits-for-room", limit: .seconds(120))
        #expect(try nora.run("cp /run/wanted /root/large 2>&1 || true").contains("No space left on device"))
        lab.server.kill()
        try lab.server.start()
        try lab.server.process.output.wait(for: "NBD export waits for room", limit: .seconds(120))
        #expect(try nora.run("cp /run/wanted /root/large 2>&1 || true").contains("No space left on device"))
        #expect(try dora.run("[ -e /run/code ] && echo ended || echo waits") == "waits")

        events = try lab.server.watch()
        try lab.lab.server.run(["rm", filler])
        try events.output.wait(for: "found-room", limit: .seconds(30))
        try dora.run("while [ ! -e /run/code ]; do sleep 0.2; done", limit: .seconds(120))
        #expect(try dora.run("cat /run/code") == "0")
        // The old file keeps the error for whoever syncs it next, as Linux has it.
        try nora.run("rm /root/large; cp /run/wanted /root/new && sync /root/new", limit: .seconds(120))
        try nora.run("mv /root/new /root/large")
        for node in [dora, nora] {
            try node.run("echo 3 >/proc/sys/vm/drop_caches; cmp /run/wanted /root/large", limit: .seconds(120))
            #expect(try node.rootErrors() == "")
        }
    }

    /// Lets what is kept for nodes lie on a file system of its own; gives a file that fills it up.
    private func giveSmallDisk(_ lab: EndToEndLab) throws -> String {
        let state = lab.server.state
        try lab.server.stop()
        try FileManager.default.createDirectory(atPath: "\(state)/nodes", withIntermediateDirectories: true)
        try lab.lab.server.run(["mount", "-t", "tmpfs", "-o", "size=256m", "small", "\(state)/nodes"])
        lab.lab.atClose {
            let unmount = Process()
            unmount.executableURL = URL(fileURLWithPath: "/bin/umount")
            unmount.arguments = ["--lazy", "\(state)/nodes"]
            try? unmount.run()
            unmount.waitUntilExit()
            try? FileManager.default.removeItem(atPath: state)
        }
        try lab.server.start()
        return "\(state)/nodes/filler"
    }
}
