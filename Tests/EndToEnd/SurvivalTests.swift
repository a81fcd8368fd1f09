import Foundation
import Testing
import VirtualLab

/// Running nodes outlive a server that is frozen, killed and started again, and a network that goes silent.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct SurvivalTests {
    /// Also the plain boot by BIOS and iPXE over HTTP into both kinds of root.
    @Test(.timeLimit(.minutes(25)))
    func nodesOutliveTheServerAndTheNetwork() throws {
        let fleet = """
            nodes:
              - {name: rita, mac: ["\(EndToEndLab.mac(1))"], image: e2e, root: {via: nbd, writes: ram}}
              - {name: carl, mac: ["\(EndToEndLab.mac(2))"], image: e2e-ext4, root: {via: nbd, writes: cow}}
            """
        let lab = try EndToEndLab("survival", images: [.ram, .writable], fleet: fleet)
        defer { lab.lab.close() }
        let rita = try lab.node("rita", number: 1)
        let carl = try lab.node("carl", number: 2)
        for node in [rita, carl] { try node.machine.powerOn() }
        for node in [rita, carl] { try node.login() }
        try checkRAMRoot(rita)
        let boot = try lab.server.boot(of: "rita")
        #expect(boot.passed("discover", "offer", "acknowledge", "script", "kernel", "initramfs"))
        #expect(boot.passed("initramfs", "initramfs-started", "root-connected", "root-mounted", "up"))
        #expect(boot.state == "up")

        let image = try TestImage.ram.file("root.squashfs")
        let digest = try lab.lab.server.run(["sha256sum", image], limit: .seconds(60)).prefix(64)
        let size = try lab.lab.server.run(["stat", "-c", "%s", image]).filter(\.isNumber)
        try rita.run(Self.reader(size: size))
        try carl.run(Self.writer)

        for seconds in [6, 10, 3] {
            lab.server.process.signal(SIGSTOP)
            pass(.seconds(seconds), in: lab)
            lab.server.kill()
            pass(.seconds(2), in: lab)
            try lab.server.start()
            pass(.seconds(8), in: lab)
        }
        for node in [rita, carl] { try node.machine.cutLinkSilently() }
        pass(.seconds(40), in: lab)
        for node in [rita, carl] { try node.machine.mendLink() }

        // Both loops must make whole rounds after everything came back, before they are asked to stop.
        for node in [rita, carl] {
            try node.run(
                "a=$(wc -l </run/rounds); while [ $(wc -l </run/rounds) -lt $((a + 2)) ]; do sleep 1; done",
                limit: .seconds(240)
            )
            try node.run("touch /run/stop; wait", limit: .seconds(240))
            #expect(try node.run("cat /run/wrong 2>/dev/null || true") == "")
            #expect(try node.rootErrors() == "")
        }
        #expect(try rita.run("sort -u /run/rounds") == digest)
        #expect(try lab.server.boots(of: "carl").count == 1)
    }

    /// Sums the whole root from the device again and again, past the page cache.
    static func reader(size: String) -> String {
        """
        : >/run/rounds; (while [ ! -e /run/stop ]; do \
        dd if=/dev/nbd0 bs=1M iflag=direct 2>>/run/wrong.dd | head -c \(size) | sha256sum | cut -c1-64 >>/run/rounds; \
        grep -i error /run/wrong.dd >>/run/wrong; done) </dev/null &
        """
    }

    /// Writes synced blocks, and reads each back from the device.
    static let writer = """
        : >/run/rounds; (n=0; while [ ! -e /run/stop ]; do n=$((n + 1)); f=/root/block.$((n % 8)); \
        head -c 262144 /dev/urandom >/run/wanted; dd if=/run/wanted of=$f bs=64k conv=fsync 2>/run/dd || \
        echo "write $n" >>/run/wrong; echo 3 >/proc/sys/vm/drop_caches; \
        cmp /run/wanted $f >>/run/wrong 2>&1 || echo "read $n" >>/run/wrong; echo $n >>/run/rounds; done) </dev/null &
        """

    /// Lets time pass: the length of an outage is what is being tested.
    private func pass(_ time: Duration, in lab: EndToEndLab) {
        let clock = try? lab.lab.server.start(["sleep", "\(time.components.seconds)"])
        clock?.waitForExit(limit: nil)
    }
}
