import CLinux
import FileSystems
import ImageStore
import Testing

@testable import ImageBuilder

@Suite struct ToolRunnerTests {
    private func runner(_ interruption: Interruption? = nil) throws -> ToolRunner {
        ToolRunner(interruption: try interruption ?? Interruption(), environment: ["PATH=/usr/bin:/bin"])
    }

    @Test func outputStatusAndInput() throws {
        var lines: [String] = []
        let outcome = try runner().run("/bin/sh", ["-c", "cat; echo err >&2; exit 3"], input: Array("a\rb\n\nc".utf8)) {
            lines.append($0)
        }
        #expect(outcome.status == .exit(3))
        #expect(lines == ["a", "b", "cerr"])
        let captured = try runner().run("/bin/echo", ["it's", "$HOME"], capture: true)
        #expect(String(decoding: captured.output, as: UTF8.self) == "it's $HOME\n")
    }

    @Test func tailIsBounded() throws {
        let outcome = try runner().run(
            "/bin/sh",
            ["-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"]
        )
        #expect(outcome.tail.count == ToolRunner.tailLines)
        #expect(outcome.tail.last == "line 4999")
    }

    @Test func theLineAboutAFullDiskIsKept() throws {
        let line = "dpkg: error: failed to write (No space left on device)"
        let outcome = try runner().run("/bin/sh", ["-c", "echo '\(line)'; seq 1 100"])
        #expect(outcome.tail.first == line)
        #expect(outcome.tail.last == "100")
    }

    @Test func killedBySignal() throws {
        #expect(try runner().run("/bin/sh", ["-c", "kill -9 $$"]).status == .signal(9))
    }

    /// apt waits for ever when it has no room for an index.
    @Test(.timeLimit(.minutes(5))) func stopsWhenTheFileSystemStaysFull() throws {
        var runner = try runner()
        runner.fullFileSystem = { FileSystemRoom(at: "/") }
        do {
            _ = try runner.run("/bin/sh", ["-c", "echo begun; exec sleep 600"])
            Issue.record("it ran to its end")
        } catch .noSpace(let phase, _, _, let lines) {
            #expect(phase == "running sh")
            #expect(lines == ["begun"])
        }
    }

    @Test func missingProgram() throws {
        #expect(throws: BuildError.system(action: "run", path: "/nonexistent", code: ENOENT)) {
            _ = try runner().run("/nonexistent", [])
        }
        #expect(throws: BuildError.missingTool(name: "mmdebstrap", package: "mmdebstrap")) {
            _ = try Tool.mmdebstrap.path(in: ["/nonexistent"])
        }
        let line = "\(BuildError.missingTool(name: "mksquashfs", package: "squashfs-tools"))"
        #expect(line == "mksquashfs is not installed: apt install squashfs-tools")
    }

    @Test(.timeLimit(.minutes(5))) func interruptionStopsTheWholeGroup() throws {
        let interruption = try Interruption()
        var child: pid_t = 0
        #expect(throws: BuildError.interrupted(signal: SIGTERM)) {
            // The shell waits for a child of its own, whose number it tells us first.
            _ = try runner(interruption).run("/bin/sh", ["-c", "sleep 1000 & echo $!; wait"]) { line in
                child = pid_t(line) ?? 0
                interruption.request(signal: SIGTERM)
            }
        }
        try #require(child > 1)
        var rounds = 0
        while kill(child, 0) == 0, rounds < 5000, !isZombie(child) {
            sched_yield()
            rounds += 1
        }
        #expect(kill(child, 0) != 0 || isZombie(child))
        #expect(throws: BuildError.interrupted(signal: SIGTERM)) { _ = try runner(interruption).run("/bin/true", []) }
    }

    /// Killed, with nobody yet who has asked how.
    private func isZombie(_ process: pid_t) -> Bool {
        HostFile.text("/proc/\(process)/stat")?.contains(") Z ") ?? true
    }

    @Test func leftRunningChildDoesNotHoldUs() throws {
        let outcome = try runner().run("/bin/sh", ["-c", "sleep 30 & echo done"])
        #expect(outcome.status == .exit(0))
        #expect(outcome.tail == ["done"])
    }

    @Test func messagesNameTheTool() {
        let error = BuildError.toolFailed(
            name: "apt",
            phase: "packages",
            status: .exit(100),
            lastLines: ["E: one", "E: two"]
        )
        #expect("\(error)" == "packages: apt failed (exit status 100); its last lines:\n    E: one\n    E: two")
    }
}
