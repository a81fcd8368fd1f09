import CLinux
import NFS3
import NFS4
import NFSServer
import Testing
import XDR

/// A file with a write delegation, its holder, and somebody who asks for its attributes.
private final class Delegated {
    let fixture: Fixture
    let holder: TestSession
    let asker: TestSession
    let path: String
    /// The file as its holder got it.
    let stateid: NFS4Stateid
    let change: UInt64
    /// How large the file may be for a CLOSE that waits for nothing (NFS_LIMIT_SIZE).
    let limit: UInt64
    private let type: UInt32

    /// `shares`: whether both are on one connection; `keepsTimes`: whether the holder keeps the times.
    convenience init(shares: Bool, keepsTimes: Bool = false) throws {
        let fixture = try Fixture()
        try self.init("file", in: fixture, fixture.client, shares: shares, keepsTimes: keepsTimes)
    }

    /// A file of this name in a served directory, whose holder calls on `client`.
    init(_ name: String, in fixture: Fixture, _ client: TestClient, shares: Bool = false, keepsTimes: Bool = false)
        throws
    {
        self.fixture = fixture
        path = "\(fixture.directory)/\(name)"
        holder = try TestSession(client, "holder of \(name)")
        asker = try TestSession(shares ? client : try TestClient(fixture.server.endpoint), "asker for \(name)")
        for session in [holder, asker] {
            let done = try session.send(1) {
                $0.write(NFS4Operation.reclaimComplete.rawValue)
                $0.write(false)
            }
            #expect(done.status == .ok)
        }
        let length = Self.walkLength(fixture.directory)
        let (directory, access) = (fixture.directory, keepsTimes ? 0x10_0203 : 0x203 as UInt32)
        let opened = try holder.send(length + 2) {
            _ = TestSession.walk(directory, &$0)
            for word in [NFS4Operation.open.rawValue, 0, access, 0] as [UInt32] { $0.write(word) }
            $0.write(0 as UInt64)
            $0.writeOpaque(Array("owner".utf8))
            // OPEN4_CREATE, GUARDED4, no attributes, CLAIM_NULL
            for word in [1, 1, 0, 0, 0] as [UInt32] { $0.write(word) }
            $0.writeOpaque(Array(name.utf8))
            for word in [NFS4Operation.getAttributes.rawValue, 1, 0x8] as [UInt32] { $0.write(word) }
        }
        #expect(opened.status == .ok)
        // PUTROOTFH and LOOKUPs, OPEN and its status, stateid, change_info4, flags, no attributes
        var reader = unsafe XDRReader(opened.bytes.span.bytes)
        _ = try reader.readFixedOpaque(Int(length) * 8 + 8 + 16 + 20 + 4)
        _ = try NFS4Bitmap(decoding: &reader)
        type = try reader.readUInt32()
        stateid = try NFS4Stateid(decoding: &reader)
        // Not recalled, NFS_LIMIT_SIZE
        _ = try reader.readFixedOpaque(4 + 4)
        limit = try reader.readUInt64()
        // An access entry, GETATTR and its status
        _ = try reader.readFixedOpaque(12 + 4 + 8)
        _ = try NFS4Bitmap(decoding: &reader)
        _ = try reader.readUInt32()
        change = try reader.readUInt64()
        #expect(type == (keepsTimes ? 5 : 2))
    }

    static func walkLength(_ path: String) -> UInt32 { UInt32(path.split(separator: "/").count) + 1 }

    /// Asks for change, size and time_modify; the answer is next on the asker's connection.
    func ask() throws {
        let path = path
        try asker.begin(Self.walkLength(path) + 1) {
            _ = TestSession.walk(path, &$0)
            for word in [NFS4Operation.getAttributes.rawValue, 2, 0x18, 1 << 21] as [UInt32] { $0.write(word) }
        }
    }

    struct Told { var change, size: UInt64, seconds: Int64 }

    /// The answer to `ask`.
    func told() throws -> (NFS4Status, Told?) {
        let answer = try TestSession.answer(try asker.client.reply())
        guard answer.status == .ok else { return (answer.status, nil) }
        var reader = unsafe XDRReader(answer.bytes.span.bytes)
        _ = try reader.readFixedOpaque(Int(Self.walkLength(path)) * 8 + 8)
        _ = try NFS4Bitmap(decoding: &reader)
        _ = try reader.readUInt32()
        let (change, size) = (try reader.readUInt64(), try reader.readUInt64())
        return (.ok, Told(change: change, size: size, seconds: try NFS4Time(decoding: &reader).seconds))
    }

    /// The next call to the holder: its number, and the last operation of its compound.
    func call() throws -> (xid: UInt32, operation: UInt32) {
        let record = try holder.client.reply()
        var reader = unsafe XDRReader(record.span.bytes)
        let xid = try reader.readUInt32()
        guard try reader.readUInt32() == 0 else { throw TestClient.Failure(what: "a reply where a call was due") }
        // RPC version, program, version, procedure, two empty credentials; tag, minor version, identifier, two operations
        _ = try reader.readFixedOpaque(16 + 16 + 16)
        // CB_SEQUENCE
        _ = try reader.readFixedOpaque(4 + 16 + 20)
        return (xid, try reader.readUInt32())
    }

    /// Answers a call to the holder with these words behind the result of CB_SEQUENCE.
    func answer(_ xid: UInt32, status: UInt32 = 0, _ words: [UInt32]) throws {
        let body = [xid, 1, 0, 0, 0, 0, status, 0, 2, 11, 0] + [UInt32](repeating: 0, count: 8) + words
        let mark = 0x8000_0000 | UInt32(body.count * 4)
        try holder.client.send(([mark] + body).flatMap { word in (0..<4).map { UInt8(word >> (24 - 8 * $0) & 0xff) } })
    }

    /// What a holder answers to CB_GETATTR.
    static func held(_ change: UInt64, _ size: UInt64) -> [UInt32] {
        [3, 0, 1, 0x18, 16] + [change, size].flatMap { [UInt32($0 >> 32), UInt32($0 & 0xffff_ffff)] }
    }
}

@Suite("NFS version 4: write delegations over TCP", .enabled(if: Fixture.isPossible, "needs root"))
struct DelegationTests {
    private static let getAttributes: UInt32 = 3

    @Test("Only where nobody else reads a file may it be closed before it is written", arguments: [true, false])
    func closingWaits(isForOneClient: Bool) throws {
        let fixture = try Fixture(isForOneClient: isForOneClient)
        let delegated = try Delegated("file", in: fixture, fixture.client)
        #expect(delegated.limit == (isForOneClient ? .max : 0))
    }
    private static let recall: UInt32 = 4

    @Test("Others are told what the holder has, also when both are on one connection", arguments: [false, true])
    func changedFile(shares: Bool) throws {
        let file = try Delegated(shares: shares)
        var last = file.change
        for size in [5, 9] as [UInt64] {
            try file.ask()
            let (xid, operation) = try file.call()
            #expect(operation == Self.getAttributes)
            try file.answer(xid, Delegated.held(file.change + 1, size))
            let (status, told) = try file.told()
            #expect(status == .ok)
            let now = try #require(told)
            #expect(now.size == size && now.change > last)
            last = now.change
        }
        // What was told stays behind the delegation; the bytes are still with its holder.
        var known = stat()
        #expect(unsafe lstat(file.path, &known) == 0)
        #expect(known.st_size == 0)
        #expect(UInt64(known.st_ctim.tv_sec) * 1_000_000_000 + UInt64(known.st_ctim.tv_nsec) > file.change)
    }

    @Test("A holder that does not take its replies holds up nobody else's question")
    func slowHolder() throws {
        let slow = try Delegated(shares: false)
        let other = try Delegated("other", in: slow.fixture, try TestClient(slow.fixture.server.endpoint))
        #expect(unsafe truncate(slow.path, 64 << 20) == 0)
        let file = try slow.holder.client.nfs(.lookup) {
            slow.fixture.root.encode(into: &$0)
            $0.writeOpaque(Array("file".utf8))
        }
        var reader = unsafe XDRReader(file.rest.span.bytes)
        let handle = try NFS3FileHandle(decoding: &reader)
        // More than the sockets' buffers take.
        for _ in 0..<32 {
            try slow.holder.client.send(
                slow.holder.client.call(NFS3.program, NFS3.version, NFS3Procedure.read.rawValue) {
                    handle.encode(into: &$0)
                    $0.write(0 as UInt64)
                    $0.write(1 << 20 as UInt32)
                }
            )
        }
        // Its call begins first, and cannot go out.
        try slow.ask()
        for size in [5, 9] as [UInt64] {
            try other.ask()
            try other.answer(try other.call().xid, Delegated.held(other.change + 1, size))
            #expect(try other.told().1?.size == size)
        }
    }

    @Test("CREATE of version 3 that would cut a file waits for its holder")
    func createOverAnother() throws {
        let file = try Delegated(shares: false)
        let client = try TestClient(file.fixture.server.endpoint)
        let answer = try client.nfs(.create) {
            file.fixture.root.encode(into: &$0)
            $0.writeOpaque(Array("file".utf8))
            // UNCHECKED, no mode, owner and group, size 0, no times.
            for word in [0, 0, 0, 0, 1, 0, 0, 0, 0] as [UInt32] { $0.write(word) }
        }
        #expect(answer.status == .tryLater)
        #expect(try file.call().operation == Self.recall)
    }

    @Test("A holder that has changed nothing leaves the file as it is")
    func unchangedFile() throws {
        let file = try Delegated(shares: false)
        try file.ask()
        try file.answer(try file.call().xid, Delegated.held(file.change, 0))
        let told = try #require(try file.told().1)
        #expect(told.change == file.change && told.size == 0)
    }

    @Test("The time that a holder kept is told and kept, and set by it at the end")
    func keptTimes() throws {
        let file = try Delegated(shares: false, keepsTimes: true)
        var known = stat()
        #expect(unsafe lstat(file.path, &known) == 0)
        // An earlier time than now, and a later one than the file's: that is set back first.
        let kept = UInt32(known.st_mtim.tv_sec) - 500
        let times = [timespec(tv_sec: known.st_atim.tv_sec, tv_nsec: 0), timespec(tv_sec: Int(kept) - 500, tv_nsec: 0)]
        #expect(unsafe utimensat(AT_FDCWD, file.path, times, 0) == 0)
        try file.ask()
        let change = file.change + 1
        let words: [UInt32] = [
            Self.getAttributes, 0, 3, 0x18, 0, 0x30_0000, 40, UInt32(change >> 32), UInt32(change & 0xffff_ffff), 0, 7,
            0,
            kept, 0, 0, kept, 0,
        ]
        try file.answer(try file.call().xid, words)
        #expect(try file.told().1?.seconds == Int64(kept))
        #expect(unsafe lstat(file.path, &known) == 0)
        #expect(known.st_mtim.tv_sec == Int(kept))
        for (stateid, expected, seconds) in [
            (NFS4Stateid.anonymous, NFS4Status.badStateid, kept), (file.stateid, .ok, kept + 100),
            // Nothing goes back.
            (file.stateid, .ok, kept + 50),
        ] {
            let path = file.path
            let status = try file.holder.send(Delegated.walkLength(path) + 1) {
                _ = TestSession.walk(path, &$0)
                $0.write(NFS4Operation.setAttributes.rawValue)
                stateid.encode(into: &$0)
                for word in [3, 0, 0, 0x20_0000, 12, 0, seconds, 0] as [UInt32] { $0.write(word) }
            }.status
            #expect(status == expected)
        }
        #expect(unsafe lstat(file.path, &known) == 0)
        #expect(known.st_mtim.tv_sec == Int(kept) + 100)
    }

    @Test("A holder that answers wrong gives its delegation back", arguments: [10001, 0] as [UInt32])
    func wrongAnswer(status: UInt32) throws {
        let file = try Delegated(shares: false)
        try file.ask()
        try file.answer(try file.call().xid, status: status, [Self.getAttributes, status])
        #expect(try file.told().0 == .delay)
        #expect(try file.call().operation == Self.recall)
    }

    @Test("A holder that is late holds nobody up for long, and gives its delegation back")
    func lateAnswer() throws {
        let file = try Delegated(shares: false)
        try file.ask()
        let (xid, operation) = try file.call()
        #expect(operation == Self.getAttributes)
        #expect(try file.told().0 == .delay)
        // Asked again: told at once, without a further question.
        try file.ask()
        #expect(try file.told().0 == .delay)
        try file.answer(xid, Delegated.held(file.change, 0))
        #expect(try file.call().operation == Self.recall)
    }

    @Test("A delegation that comes back while its holder is asked leaves the server's own attributes")
    func returnedMeanwhile() throws {
        let file = try Delegated(shares: false)
        try file.ask()
        let (xid, _) = try file.call()
        let path = file.path
        let returned = try file.holder.send(Delegated.walkLength(path) + 1) {
            _ = TestSession.walk(path, &$0)
            $0.write(NFS4Operation.delegationReturn.rawValue)
            file.stateid.encode(into: &$0)
        }
        #expect(returned.status == .ok)
        try file.answer(xid, Delegated.held(file.change + 1, 99))
        let told = try #require(try file.told().1)
        #expect(told.size == 0 && told.change == file.change)
    }
}
