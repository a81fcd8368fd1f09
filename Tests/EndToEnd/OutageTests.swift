import Foundation
import Testing
import VirtualLab

/// Nodes whose server cannot be reached for a long time: they wait, and go on as if nothing had been.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct OutageMatrixTests {
    /// How long no packet passes, in seconds: ten minutes, unless `DISKLESS_OUTAGE_SECONDS` says otherwise.
    private static let seconds = Int(ProcessInfo.processInfo.environment["DISKLESS_OUTAGE_SECONDS"] ?? "") ?? 600

    /// Roots over NBD, NFS 3 and NFS 4.2, read and written all the while.
    @Test(.timeLimit(.minutes(60)), arguments: Repository.whole(["outage"]))
    func nodesWaitForAServerOutOfReach(row: String) throws {
        let kinds = [
            "via: nbd, writes: cow", "via: nfs, writes: keep, version: 3", "via: nfs, writes: keep, version: 4.2",
        ]
        let names = ["nora", "otto", "pia"]
        let lines = zip(names, kinds).enumerated().map { number, node in
            let image = number == 0 ? "e2e-ext4" : "e2e"
            let mac = EndToEndLab.mac(UInt64(number) + 1)
            return "  - {name: \(node.0), mac: [\"\(mac)\"], image: \(image), root: {\(node.1)}}\n"
        }
        let lab = try EndToEndLab(row, images: [.ram, .writable], fleet: "nodes:\n" + lines.joined())
        defer { lab.lab.close() }
        let nodes = try names.enumerated().map { try lab.node($0.element, number: UInt64($0.offset) + 1) }
        for node in nodes { try node.machine.powerOn() }
        for node in nodes { try node.login() }
        for node in nodes {
            // The shell looks for mail each minute, on the root.
            try node.run("unset MAILCHECK")
            // A lock of a node's own outlives the outage, since nobody else wants it.
            try node.run(
                "touch /root/lock; (exec 9>/root/lock; flock 9; : >/run/held; sleep 86400) </dev/null >/dev/null 2>&1 &"
            )
            try node.run("while [ ! -e /run/held ]; do sleep 0.1; done")
            try node.startLoad()
            try node.startReading()
        }
        for node in nodes { try node.waitForRounds(2) }
        let told = try nodes.map { try $0.errorsTold() }

        for node in nodes { try node.machine.cutLinkSilently() }
        // Nobody asks their shells meanwhile: they too live on the root.
        nodes[0].pass(.seconds(Self.seconds), in: lab)
        for node in nodes { try node.machine.mendLink() }
        let back = ContinuousClock.now

        for node in nodes {
            try node.waitForRounds(2, limit: .seconds(600))
            print(
                "\(node.name) went on within \(ContinuousClock.now - back) after \(Self.seconds) s without its server"
            )
        }
        for (node, told) in zip(nodes, told) {
            try node.finishLoad()
            try node.checkFiles()
            // They waited: nothing could be read in the meantime, and nothing failed.
            #expect(try node.longestWait() > Self.seconds - 30, "\(node.name)")
            // The shell may tell of its jobs first.
            #expect(try node.run("flock -n /root/lock echo free || echo held").hasSuffix("held"), "\(node.name)")
            #expect(try node.rootErrors() == "", "\(node.name)")
            #expect(try node.reclaimErrors() == "", "\(node.name)")
            let now = try node.errorsTold()
            #expect(now.filter { !told.contains($0) }.isEmpty, "\(node.name)")
            #expect(try lab.server.boots(of: node.name).count == 1, "\(node.name)")
        }
        try lab.server.apply("nodes:\n" + lines.joined())
        for node in nodes[1...] {
            try node.machine.powerCycle()
            try node.login()
            try node.checkFiles()
        }
    }
}

extension Node {
    /// Reads files of the root all the time, past the cache; what differs is told as by the load.
    ///
    /// The shell forgets it: it would tell of its end amid what a later command says.
    fileprivate func startReading() throws {
        try run("find /usr/bin /usr/sbin -type f | head -n 60 | xargs sha256sum >/run/known", limit: .seconds(120))
        try run(
            "(while [ ! -e /run/stop ]; do echo 3 >/proc/sys/vm/drop_caches; sha256sum --quiet -c /run/known >>/run/wrong 2>&1;"
                + " echo $EPOCHSECONDS >>/run/reads; sleep 1; done) </dev/null & disown"
        )
    }

    /// How many rounds were written and read.
    fileprivate func rounds() throws -> [Int] {
        try run("touch /run/rounds /run/reads; wc -l </run/rounds; wc -l </run/reads").split(separator: "\n").compactMap
        { Int($0) }
    }

    /// The longest time between two rounds of reading, in seconds.
    fileprivate func longestWait() throws -> Int {
        let times = try run("cat /run/reads", limit: .seconds(120)).split(separator: "\n").compactMap { Int($0) }
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
    }

    /// Waits until there are so many more of both.
    fileprivate func waitForRounds(_ more: Int, limit: Duration = .seconds(240)) throws {
        let (begin, first) = (ContinuousClock.now, try rounds())
        while try zip(rounds(), first).contains(where: { $0 < $1 + more }) {
            guard ContinuousClock.now - begin < limit else { throw LabError("\(name): its load does not go on") }
            usleep(500_000)
        }
    }

    /// What the kernel and the services have told as errors, but for that somebody waited long, which is true: tasks that are
    /// blocked, connections that ended (under a request that was being sent, which is then sent again), services whose watchdog
    /// (of three minutes) does not know what they wait for.
    fileprivate func errorsTold() throws -> [String] {
        let waiting =
            "blocked for more than|hung_task|not responding|Not tainted|task:.* state:D|Watchdog timeout"
            + "|block nbd0: (Connection timed out|Dead connection|Receive control failed|shutting down"
            + "|Send (control|data) failed .result -11.|Request send failed, requeueing)"
        return try run(
            "(dmesg --level=emerg,alert,crit,err; journalctl -b -q -p err -o cat --no-pager) | sed 's/^\\[[^]]*\\] *//'"
                + " | grep -vE '\(waiting)' || true",
            limit: .seconds(240)
        ).split(separator: "\n").map(String.init)
    }
}
