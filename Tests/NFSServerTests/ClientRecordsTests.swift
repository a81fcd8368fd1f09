import CLinux
import Logging
import NFSServer
import Synchronization
import Testing

@Suite("Records of clients")
struct ClientRecordsTests {
    /// Counts what is logged at each level.
    private final class Counts: Sendable {
        private let levels = Mutex<[Logger.Level: Int]>([:])
        subscript(level: Logger.Level) -> Int { levels.withLock { $0[level] ?? 0 } }
        func add(_ level: Logger.Level) { levels.withLock { $0[level, default: 0] += 1 } }
    }

    private struct Handler: LogHandler {
        let counts: Counts
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { counts.add(event.level) }
    }

    @Test("A disk that takes nothing is told once; later all that is known is written")
    func fullDisk() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let path = "\(directory)/clients"
        // Every write there fails with ENOSPC.
        #expect(unsafe symlink("/dev/full", path + ".new") == 0)
        let counts = Counts()
        let records = ClientRecords(at: path, logger: Logger(label: "test") { _ in Handler(counts: counts) })
        #expect(!records.isDurable)
        #expect(counts[.error] == 1)
        #expect(unsafe symlink("/dev/full", path + ".new") == 0)
        records.add(Array("one".utf8))
        #expect(!records.isDurable && counts[.error] == 1)
        records.add(Array("two".utf8))
        for _ in 0..<10 { records.tryAgain() }
        #expect(records.isDurable)
        #expect(counts[.error] == 1 && counts[.notice] == 1)
        let next = ClientRecords(at: path, logger: Logger(label: "test"))
        #expect(next.recorded == [Array("one".utf8), Array("two".utf8)])
    }

    @Test("Where a client cannot be struck out, nobody may claim anything")
    func notStruckOut() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let path = "\(directory)/clients"
        let counts = Counts()
        let records = ClientRecords(at: path, logger: Logger(label: "test") { _ in Handler(counts: counts) })
        records.add(Array("two".utf8))
        // More changes than the file holds: it is written anew, which fails.
        for _ in 0..<5100 {
            records.add(Array("one".utf8))
            records.remove(Array("one".utf8))
            if unsafe access(path + ".new", F_OK) != 0 { _ = unsafe symlink("/dev/full", path + ".new") }
            if !records.isDurable { break }
        }
        #expect(!records.isDurable && counts[.error] == 1)
        // The file still names this one, and cannot be told otherwise.
        _ = unsafe symlink("/dev/full", path + ".new")
        records.remove(Array("two".utf8))
        #expect(!records.isDurable)
        let next = ClientRecords(at: path, logger: Logger(label: "test"))
        #expect(next.recorded.isEmpty)
    }
}
