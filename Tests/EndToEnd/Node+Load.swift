import Foundation
import VirtualLab

extension Node {
    /// Writes files and their checksums all the time, while the server is killed three times and stopped once; then every
    /// file must be what was written.
    func writeThroughKills(of lab: EndToEndLab, directory: String = "/root/load") throws {
        try startLoad(directory: directory)
        try restartServer(lab)
        try finishLoad()
        try checkFiles(in: directory)
    }

    /// Begins to write files and their checksums, until `finishLoad`.
    func startLoad(directory: String = "/root/load") throws {
        try run("mkdir -p \(directory); rm -f /run/stop /run/rounds /run/wrong /run/ended")
        try run(Self.writer(directory))
    }

    /// Reads the same files again and again past the cache, while the server is killed three times and stopped once.
    func readThroughKills(of lab: EndToEndLab) throws {
        try run(
            "find /usr/lib/x86_64-linux-gnu -type f | head -n 200 | xargs sha256sum >/run/wanted",
            limit: .seconds(240)
        )
        try run(
            "rm -f /run/ended; : >/run/rounds; (while [ ! -e /run/stop ]; do echo 3 >/proc/sys/vm/drop_caches;"
                + " sha256sum --quiet -c /run/wanted >>/run/wrong 2>&1; echo 1 >>/run/rounds; done;"
                + " : >/run/ended) </dev/null &"
        )
        try restartServer(lab)
        try finishLoad()
    }

    /// Kills the server three times and stops it once, with pauses before and after.
    func restartServer(_ lab: EndToEndLab) throws {
        for (seconds, isOrderly) in [(3, false), (4, true), (6, false), (2, false)] {
            pass(.seconds(seconds), in: lab)
            if isOrderly { try lab.server.stop() } else { lab.server.kill() }
            pass(.seconds(seconds), in: lab)
            try lab.server.start()
        }
    }

    /// Ends the load; throws what was wrong in it.
    func finishLoad() throws {
        // Whole rounds after everything came back, before the loop is asked to stop.
        try run(
            "a=$(wc -l </run/rounds); while [ $(wc -l </run/rounds) -lt $((a + 2)) ]; do sleep 1; done",
            limit: .seconds(240)
        )
        // Not for every job of the shell: a test may have one that never ends.
        try run("touch /run/stop; while [ ! -e /run/ended ]; do sleep 0.2; done; sync", limit: .seconds(240))
        let wrong = try run("cat /run/wrong 2>/dev/null || true")
        guard wrong.isEmpty else { throw LabError("\(name): \(wrong)") }
    }

    /// Whether the files of `writeThroughKills` are what was written, past the cache.
    func checkFiles(in directory: String = "/root/load") throws {
        try run(
            "echo 3 >/proc/sys/vm/drop_caches; cd \(directory) && sha256sum --quiet -c sums && cd /",
            limit: .seconds(120)
        )
    }

    /// Writes a file, its copy under another name, and its checksum, in rounds.
    private static func writer(_ directory: String) -> String {
        """
        : >/run/rounds; (cd \(directory); n=0; while [ ! -e /run/stop ]; do n=$((n + 1)); f=block.$((n % 16)); \
        head -c 300000 /dev/urandom >/run/block; cp /run/block $f.new && mv $f.new $f && sync $f || echo "write $n" >>/run/wrong; \
        cmp /run/block $f >>/run/wrong 2>&1 || echo "read $n" >>/run/wrong; sha256sum block.? block.?? >sums.new 2>/dev/null; \
        mv sums.new sums || echo "move $n" >>/run/wrong; echo $n >>/run/rounds; done; : >/run/ended) </dev/null &
        """
    }

    /// Installs a package of this test's own with dpkg: a program that says "installed".
    func installPackage() throws {
        try run("mkdir -p /run/p/DEBIAN /run/p/usr/bin; cd /run/p; echo 'echo installed' >usr/bin/diskless-test-tool")
        try run("echo 'Package: diskless-test' >DEBIAN/control; chmod 755 usr/bin/diskless-test-tool")
        try run(
            "for l in 'Version: 1' 'Architecture: all' 'Maintainer: t' 'Description: t'; do echo $l >>DEBIAN/control; done"
        )
        try run("cd /; dpkg-deb -b /run/p /var/cache/t.deb >/run/o 2>&1 || cat /run/o", limit: .seconds(120))
        try run(
            "apt-get install -y --no-install-recommends /var/cache/t.deb </dev/null >/run/o 2>&1",
            limit: .seconds(240)
        )
        guard try run("sh -c diskless-test-tool") == "installed" else {
            throw LabError("\(name): the package is not installed")
        }
    }

    /// Lets time pass: the length of an outage is what is being tested.
    func pass(_ time: Duration, in lab: EndToEndLab) {
        let clock = try? lab.lab.server.start(["sleep", "\(time.components.seconds)"])
        clock?.waitForExit(limit: nil)
    }
}
