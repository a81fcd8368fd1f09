import CLinux
import FileTree
import Logging
import NFS4
import NFSServer
import NetworkTypes
import ONCRPC
import Testing
import XDR

/// A session of version 4.1 on a connection of the tests' client.
final class TestSession {
    let client: TestClient
    let id: UInt64
    let session: NFS4SessionID
    private let minor: UInt32
    private var sequence: UInt32 = 0

    /// What a compound answered: its status, and the words behind SEQUENCE.
    struct Answer: Equatable {
        var status: NFS4Status
        var bytes: [UInt8]
    }

    init(_ client: TestClient, _ name: String, verifier: UInt64 = 1, minor: UInt32 = 1) throws {
        self.client = client
        self.minor = minor
        let exchanged = try Self.compound(client, 1, minor: minor) {
            $0.write(NFS4Operation.exchangeID.rawValue)
            $0.write(verifier)
            $0.writeOpaque(Array(name.utf8))
            $0.writeZeros(3)
        }
        var reader = unsafe XDRReader(exchanged.bytes.span.bytes)
        id = try reader.readUInt64()
        let number = try reader.readUInt32()
        let id = id
        let created = try Self.compound(client, 1, minor: minor) {
            $0.write(NFS4Operation.createSession.rawValue)
            $0.write(id)
            $0.write(number)
            $0.write(2 as UInt32)
            for _ in 0..<2 {
                for word in [0, 65536, 65536, 4096, 16, 4, 0] as [UInt32] { $0.write(word) }
            }
            for word in [0x4000_0000, 1, 0] as [UInt32] { $0.write(word) }
        }
        var second = unsafe XDRReader(created.bytes.span.bytes)
        session = try NFS4SessionID(decoding: &second)
    }

    /// Sends operations outside of a session; the bytes are those of the first one's result.
    static func compound(
        _ client: TestClient,
        _ count: UInt32,
        minor: UInt32 = 1,
        _ operations: (inout XDRWriter) -> Void
    ) throws -> Answer {
        let bytes = try client.results(NFS4.program, NFS4.version, 1) {
            $0.writeOpaque([])
            $0.write(minor)
            $0.write(count)
            operations(&$0)
        }
        var reader = unsafe XDRReader(bytes.span.bytes)
        let status = NFS4Status(rawValue: try reader.readUInt32())
        // The empty tag, the number of results, the operation and its status.
        return Answer(status: status, bytes: Array(bytes.dropFirst(20)))
    }

    /// Sends operations behind SEQUENCE; `again` sends with the number of the last time.
    func send(_ count: UInt32, again: Bool = false, _ operations: (inout XDRWriter) -> Void) throws -> Answer {
        if !again { sequence += 1 }
        let (session, number) = (session, sequence)
        let answer = try Self.compound(client, count + 1, minor: minor) {
            $0.write(NFS4Operation.sequence.rawValue)
            session.encode(into: &$0)
            for word in [number, 0, 0, 1] as [UInt32] { $0.write(word) }
            operations(&$0)
        }
        return Answer(status: answer.status, bytes: Array(answer.bytes.dropFirst(36)))
    }

    /// As `send`, without waiting for the answer: `TestClient.reply` is next.
    func begin(_ count: UInt32, _ operations: (inout XDRWriter) -> Void) throws {
        sequence += 1
        let (session, number, minor) = (session, sequence, minor)
        let call = client.call(NFS4.program, NFS4.version, 1) {
            $0.writeOpaque([])
            for word in [minor, count + 1, NFS4Operation.sequence.rawValue] as [UInt32] { $0.write(word) }
            session.encode(into: &$0)
            for word in [number, 0, 0, 1] as [UInt32] { $0.write(word) }
            operations(&$0)
        }
        try client.send(call)
    }

    /// What a reply to `begin` says: the status, and what follows the result of SEQUENCE.
    static func answer(_ reply: [UInt8]) throws -> Answer {
        let status = reply.dropFirst(24).prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        return Answer(status: NFS4Status(rawValue: status), bytes: Array(reply.dropFirst(24 + 12 + 44)))
    }

    /// Writes PUTROOTFH and a LOOKUP for each part of a path; gives their number.
    static func walk(_ path: String, _ writer: inout XDRWriter) -> UInt32 {
        writer.write(NFS4Operation.putRootHandle.rawValue)
        var count: UInt32 = 1
        for part in path.split(separator: "/") {
            writer.write(NFS4Operation.lookup.rawValue)
            writer.writeOpaque(Array(part.utf8))
            count += 1
        }
        return count
    }
}

@Suite("NFS version 4 over TCP", .enabled(if: Fixture.isPossible, "needs root"))
struct Version4Tests {
    private func walkLength(_ path: String) -> UInt32 { UInt32(path.split(separator: "/").count) + 1 }

    /// PUTROOTFH … OPEN that makes a file.
    private func create(_ session: TestSession, _ directory: String, _ name: String, again: Bool = false) throws
        -> TestSession.Answer
    {
        try session.send(walkLength(directory) + 1, again: again) {
            _ = TestSession.walk(directory, &$0)
            for word in [NFS4Operation.open.rawValue, 0, 0x403, 0] as [UInt32] { $0.write(word) }
            $0.write(0 as UInt64)
            $0.writeOpaque(Array("owner".utf8))
            // OPEN4_CREATE, GUARDED4, no attributes, CLAIM_NULL
            for word in [1, 1, 0, 0, 0] as [UInt32] { $0.write(word) }
            $0.writeOpaque(Array(name.utf8))
        }
    }

    @Test("A file that is made twice with one number is made once, and both times answered alike")
    func exactlyOnce() throws {
        let fixture = try Fixture()
        let session = try TestSession(fixture.client, "once")
        let early = try create(session, fixture.directory, "early")
        #expect(early.status == .grace)
        let complete = try session.send(1) {
            $0.write(NFS4Operation.reclaimComplete.rawValue)
            $0.write(false)
        }
        #expect(complete.status == .ok)
        let first = try create(session, fixture.directory, "file")
        #expect(first.status == .ok)
        #expect(try create(session, fixture.directory, "file", again: true) == first)
        #expect(try create(session, fixture.directory, "file").status == .exists)
        let other = try TestSession(try TestClient(fixture.server.endpoint), "other")
        #expect(try create(other, fixture.directory, "file").status == .grace)
    }

    @Test("Whom a file is taken from can neither read nor open it again", arguments: [false, true])
    func rightsThatWereTaken(opens: Bool) throws {
        let fixture = try Fixture()
        let path = fixture.directory + "/secret"
        let descriptor = unsafe clinux_open(path, O_CREAT | O_WRONLY, 0o644)
        #expect(unsafe write(descriptor, "known", 5) == 5)
        close(descriptor)
        #expect(unsafe chmod(fixture.directory, 0o755) == 0)
        fixture.client.credential = RPCSystemCredential(machine: [], user: 4711, group: 4711)
        let session = try TestSession(fixture.client, "reader")
        _ = try session.send(1) {
            $0.write(NFS4Operation.reclaimComplete.rawValue)
            $0.write(false)
        }
        let ask = {
            try session.send(self.walkLength(opens ? fixture.directory : path) + 1) {
                guard opens else {
                    // Without an OPEN, by the anonymous stateid.
                    _ = TestSession.walk(path, &$0)
                    $0.write(NFS4Operation.read.rawValue)
                    $0.writeZeros(6)
                    $0.write(100 as UInt32)
                    return
                }
                _ = TestSession.walk(fixture.directory, &$0)
                for word in [NFS4Operation.open.rawValue, 0, 0x401, 0] as [UInt32] { $0.write(word) }
                $0.write(0 as UInt64)
                $0.writeOpaque(Array("owner".utf8))
                // OPEN4_NOCREATE, CLAIM_NULL
                for word in [0, 0] as [UInt32] { $0.write(word) }
                $0.writeOpaque(Array("secret".utf8))
            }
        }
        #expect(try ask().status == .ok)
        #expect(unsafe chmod(path, 0o600) == 0)
        #expect(try ask().status == .accessDenied)
    }

    @Test("Above the exports there is nothing but the way to them")
    func pseudoRoot() throws {
        let fixture = try Fixture()
        let session = try TestSession(fixture.client, "pseudo")
        let parts = fixture.directory.split(separator: "/").map(String.init)
        let root = try session.send(2) {
            _ = TestSession.walk("", &$0)
            $0.write(NFS4Operation.readDirectory.rawValue)
            $0.writeZeros(4)
            for word in [4096, 8192, 0] as [UInt32] { $0.write(word) }
        }
        #expect(root.status == .ok)
        let name = Array(parts[0].utf8)
        #expect(root.bytes.indices.contains { root.bytes[$0...].starts(with: name) })
        for path in ["etc", "\(parts[0])/other"] {
            #expect(try session.send(walkLength(path)) { _ = TestSession.walk(path, &$0) }.status == .noEntry)
        }
        let made = try session.send(2) {
            _ = TestSession.walk("", &$0)
            $0.write(NFS4Operation.remove.rawValue)
            $0.writeOpaque(name)
        }
        #expect(made.status == .readOnly)
    }

    @Test("Who has a file open at a stop may reclaim it, and others wait for them", arguments: [true, false])
    func restart(isOpen: Bool) throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let records = "\(directory)/clients"
        for run in 0..<2 {
            let key = try #require(HandleKey(bytes: Array(0..<16)))
            let cache = ObjectCache(capacity: 64)
            let tree = try FileTree(path: directory, identity: 5, key: key, cache: cache)
            var logger = Logger(label: "nfs")
            logger.logLevel = .critical
            let server = try NFSServer(
                listen: Endpoint(IPv4Address(value: 0x7f00_0001), 0),
                source: FixedNFSExports([
                    NFSExport(path: directory, tree: tree, isWritable: true, squash: SquashRule(.none))
                ]),
                cache: cache,
                logger: logger,
                records: records
            )
            try server.start()
            defer { server.stop(seconds: 1) }
            let client = try TestSession(try TestClient(server.endpoint), "client \(run)")
            _ = try client.send(1) {
                $0.write(NFS4Operation.reclaimComplete.rawValue)
                $0.write(false)
            }
            // The first run's client leaves it open, or has nothing open at all: then nobody needs to wait for it.
            guard run == 1 || isOpen else { continue }
            let expected: NFS4Status = run == 1 && isOpen ? .grace : .ok
            #expect(try create(client, directory, "new \(run)").status == expected)
            close(unsafe clinux_open("\(directory)/there", O_CREAT | O_WRONLY, 0o644))
            #expect(try changeNames(client, directory) == [expected, expected, expected])
        }
    }

    /// LINK of `there` as `second`, RENAME of that to `third`, REMOVE of that.
    private func changeNames(_ session: TestSession, _ directory: String) throws -> [NFS4Status] {
        let length = walkLength(directory)
        let linked = try session.send(2 * length + 3) {
            _ = TestSession.walk(directory + "/there", &$0)
            $0.write(NFS4Operation.saveHandle.rawValue)
            _ = TestSession.walk(directory, &$0)
            $0.write(NFS4Operation.link.rawValue)
            $0.writeOpaque(Array("second".utf8))
        }
        let renamed = try session.send(length + 2) {
            _ = TestSession.walk(directory, &$0)
            for operation in [NFS4Operation.saveHandle, .rename] { $0.write(operation.rawValue) }
            for name in ["second", "third"] { $0.writeOpaque(Array(name.utf8)) }
        }
        let removed = try session.send(length + 1) {
            _ = TestSession.walk(directory, &$0)
            $0.write(NFS4Operation.remove.rawValue)
            $0.writeOpaque(Array("third".utf8))
        }
        return [linked, renamed, removed].map(\.status)
    }
}
