import BootModel
import BootModelConformance
import Foundation
import NetworkTypes
import Registry
import Testing

@Suite("kill -9")
struct KillTests {
    /// A child process writes leases and nodes, notes each number once it is acknowledged, and kills itself in the
    /// middle; every noted number must be there afterwards.
    @Test("in the middle of 10,000 writes loses nothing acknowledged", .timeLimit(.minutes(3)))
    func killed() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let directory = KillTests.directory
            try? FileManager.default.removeItem(atPath: directory)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            _ = FileManager.default.createFile(atPath: directory + "/acknowledged", contents: nil)
            let noted = try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/acknowledged"))
            let registry = try Registry(stateDirectory: directory)
            try registry.update { $0.set(try Sample.network()) }
            // Killed by another thread, so that it hits a write at an arbitrary point.
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(700)) { kill(getpid(), SIGKILL) }
            for number in 0..<10_000 {
                if number.isMultiple(of: 10) {
                    try registry.update {
                        $0.set(Node(name: NodeName(checked: "n\(number)"), macs: [Sample.mac(number)]))
                    }
                } else {
                    try registry.commit([.set(Sample.lease(number))])
                }
                try noted.write(contentsOf: Data("\(number)\n".utf8))
            }
            kill(getpid(), SIGKILL)
        }
        let directory = KillTests.directory
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let noted = try String(contentsOfFile: directory + "/acknowledged", encoding: .utf8)
        let numbers = noted.split(separator: "\n").compactMap { Int($0) }
        #expect(numbers.count > 20)
        let registry = try Registry(stateDirectory: directory)
        let leases = Set(try registry.leases())
        let fleet = registry.fleet()
        for number in numbers {
            if number.isMultiple(of: 10) {
                #expect(fleet.node(mac: Sample.mac(number)) != nil, "node \(number) was acknowledged")
            } else {
                #expect(leases.contains(Sample.lease(number)), "lease \(number) was acknowledged")
            }
        }
        print("killed after \(numbers.count) acknowledged writes; all there")
    }

    /// Known to both processes: the test process's id would differ, its parent's does not.
    private static var directory: String {
        FileManager.default.temporaryDirectory.path + "/diskless-kill-test-\(getuid())"
    }
}
