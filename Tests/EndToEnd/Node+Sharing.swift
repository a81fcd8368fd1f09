import Foundation
import VirtualLab

extension Node {
    /// Makes the programs of Tests/Clients, mounted at `/mnt`, ready, and the shell's function `ops`.
    ///
    /// `ops PLACE NAME` says how often the kernel has called for an operation below a mount; it opens no file of the root.
    func prepareForSharing() throws {
        try run("unset MAILCHECK; cp /mnt/*.py /run/")
        try run(
            "ops() { local m a b c d e f; while read -r a b c d e f; do case $a in device) m=$e ;;"
                + " \"$2:\") [ \"$m\" != \"$1\" ] || echo $b ;; esac; done </proc/self/mountstats; }"
        )
    }

    /// How often the kernel has called for one of these operations below a mount.
    func calls(_ operations: String..., at mount: String = "/") throws -> Int {
        let words = try run(operations.map { "ops \(mount) \($0)" }.joined(separator: "; ")).split(separator: "\n")
        guard words.count == operations.count else { throw LabError("\(name): no counts of \(operations) at \(mount)") }
        return words.compactMap { Int($0) }.reduce(0, +)
    }

    /// Mounts what another computer serves, as mount.nfs would, which the image does not have.
    func mountTree(_ source: String, at place: String, version: String, mode: String = "rw") throws {
        let server = source.split(separator: ":")[0]
        try run(
            "mkdir -p \(place); o=$(hostname -I); mount -i -t nfs4 -o"
                + " \(mode),vers=\(version),addr=\(server),clientaddr=${o%% *} \(source) \(place)"
        )
        guard try run("grep -c ' \(place) nfs4 .*vers=\(version),' /proc/mounts") == "1" else {
            throw LabError("\(name): \(place) is not mounted with version \(version)")
        }
    }

    // MARK: Locks

    /// Begins to wait for a lock, which is then held until `release`.
    ///
    /// `what` is `flock` or FIRST:LENGTH, and `r` or `w`.
    func begin(_ hold: String, of file: String, _ what: String) throws {
        try run("(python3 /run/locks.py hold \(file) \(what) \(hold) </dev/null >/run/\(hold).log 2>&1 &)")
    }

    /// Waits until it has the lock; gives the note that was in the file.
    @discardableResult
    func waitUntilHeld(_ hold: String, limit: Duration = .seconds(90)) throws -> String {
        try run(
            "while [ ! -e /run/\(hold).held ] && [ ! -e /run/\(hold).error ]; do sleep 0.1; done; cat /run/\(hold).*",
            limit: limit
        )
    }

    /// Whether it has the lock by now.
    func isHeld(_ hold: String) throws -> Bool { try run("ls /run/\(hold).held 2>/dev/null || echo no") != "no" }

    /// Lets it go; throws what went wrong meanwhile.
    func release(_ hold: String) throws {
        let end = "while [ ! -e /run/\(hold).done ] && [ ! -e /run/\(hold).error ]; do sleep 0.1; done"
        let text = try run("touch /run/\(hold).release; \(end); cat /run/\(hold).log; cat /run/\(hold).error || true")
        guard try run("cat /run/\(hold).done 2>/dev/null || echo no") == "done" else {
            throw LabError("\(name): \(hold): \(text)")
        }
    }

    /// Whether a lock can be had at once: `taken` or `refused`.
    func attempt(_ file: String, _ what: String, limit: Duration = .seconds(60)) throws -> String {
        try run("python3 /run/locks.py try \(file) \(what)", limit: limit)
    }
}
