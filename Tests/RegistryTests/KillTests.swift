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
        let temporary = try TemporaryDirectory()
        let directory = temporary.path
        defer { withExtendedLifetime(temporary) {} }
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            _ = FileManager.default.createFile(atPath: directory + "/acknowledged", contents: nil)
            let noted = try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/acknowledged"))
            let registry = try Registry(stateDirectory: directory)
            try registry.update { $0.set(try Sample.network()) }
            // Killed by another thread, so that it hits a later write at an arbitrary point.
            let reached = DispatchSemaphore(value: 0)
            DispatchQueue.global().async {
                reached.wait()
                kill(getpid(), SIGKILL)
            }
            for number in 0..<10_000 {
                if number.isMultiple(of: 10) {
                    try registry.update {
                        $0.set(Node(name: NodeName(checked: "n\(number)"), macs: [Sample.mac(number)]))
                    }
                } else {
                    try registry.commit([.set(Sample.lease(number))])
                }
                try noted.write(contentsOf: Data("\(number)\n".utf8))
                if number == 300 { reached.signal() }
            }
            kill(getpid(), SIGKILL)
        }
        let noted = try String(contentsOfFile: directory + "/acknowledged", encoding: .utf8)
        let numbers = noted.split(separator: "\n").compactMap { Int($0) }
        #expect(numbers.count > 300 && numbers.count < 10_000)
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
}
